import { createHash } from 'node:crypto';
import {
  DefaultQueryExecutor,
  PostgresAdapter,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type QueryExecutorProvider,
  type RawBuilder,
} from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { isUnavailable } from './availability.ts';

/**
 * A statement runner: the pool, or one transaction. Queries are written with kysely's `sql` tag, so values are always
 * parameters.
 */
export type Sql = QueryExecutorProvider;

/**
 * A transaction. Statements begun together leave in one packet and run in that order, each on what the ones before it
 * left.
 */
export interface Tx extends Sql {
  /** Sends a write that nobody waits for: the commit follows at once, and fails with it. */
  write(statement: RawBuilder<unknown>): void;
}

/** Each statement alone, on any connection. */
export function onPool(pool: Pool): Sql {
  return runner(async (consume) => {
    const client = await pool.connect();
    let isLost = false;
    try {
      return await consume(connectionOf(client));
    } catch (error) {
      isLost = isUnavailable(error);
      throw error;
    } finally {
      // One that the driver has given up a moment ago does not look it yet.
      client.release(isLost);
    }
  });
}

/**
 * READ COMMITTED. `begin` leaves with the first statement and `commit` with the last ones, so a transaction that reads,
 * decides and writes waits for the server twice, not once a statement. The level is said each time: what is read after
 * a lock must be what its last holder wrote, and behind a pooler the connection may be one that nobody has told. By an
 * operator's REPEATABLE READ 20 sends at once reached 116 % of an allowance; the ceiling is 105.
 */
export async function transact<T>(pool: Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  const sent = new Sent();
  sent.add(client.query('begin isolation level read committed'));
  let ended = false;
  try {
    const result = await work(txOn(client, sent));
    const command = client.query('commit').then((answer) => answer.command);
    sent.add(command);
    await sent.settle();
    ended = true;
    // After an error that somebody swallowed, PostgreSQL answers a commit with a rollback.
    if ((await command) !== 'COMMIT') throw new Error('a transaction with a failed statement was committed');
    return result;
  } catch (error) {
    if (!ended)
      ended = await client.query('rollback').then(
        () => true,
        () => false,
      );
    // A write that failed while nobody waited made every later statement fail: it is the cause.
    throw sent.failure ?? error;
  } finally {
    // A connection that may still be in a transaction serves nobody else.
    client.release(!ended);
  }
}

function txOn(client: PoolClient, sent: Sent): Tx {
  const connection = connectionOf(client);
  const on = runner((consume) => consume(connection));
  return { ...on, write: (statement) => sent.add(statement.execute(on)) };
}

/** What was sent without being waited for. */
class Sent {
  readonly #answers: Promise<unknown>[] = [];
  /** The first in the order of the answers, which is that of the statements. */
  failure: Error | null = null;

  add(statement: Promise<unknown>): void {
    this.#answers.push(
      statement.catch((error: unknown) => {
        this.failure ??= error instanceof Error ? error : new Error(String(error));
      }),
    );
  }

  /** @throws the first failure, when all have been answered. */
  async settle(): Promise<void> {
    await Promise.all(this.#answers);
    if (this.failure !== null) throw this.failure;
  }
}

const compiler = new PostgresQueryCompiler();
const adapter = new PostgresAdapter();

function runner(provideConnection: <T>(consume: (connection: DatabaseConnection) => Promise<T>) => Promise<T>): Sql {
  const executor = new DefaultQueryExecutor(compiler, adapter, { provideConnection });
  return { getExecutor: () => executor };
}

function connectionOf(client: PoolClient): DatabaseConnection {
  return {
    async executeQuery<Row>({ sql: text, parameters }: CompiledQuery) {
      // Without values it may be several commands, which cannot be prepared.
      const { rows, rowCount, command } = await client.query(
        parameters.length === 0 ? text : { name: nameOf(text), text, values: [...parameters] },
      );
      return { rows: rows as Row[], ...(COUNTED.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) };
    },
    streamQuery() {
      throw new Error('nothing here is streamed');
    },
  };
}

const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** Named statements are parsed and planned once a connection, not with every turn. */
const names = new Map<string, string>();
/** More texts than the program has: whoever builds texts from values must not fill the server's memory. */
const MOST_NAMES = 500;

/**
 * By the text alone, 132 bits of its hash: behind a pooler that does not keep statements apart, processes meet at one
 * connection, and one name for two texts would run the other's.
 */
function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MOST_NAMES) return known;
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 22);
  names.set(text, name);
  return name;
}
