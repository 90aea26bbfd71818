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
import { isCanceled, isLockTimeout, isUnavailable } from './availability.ts';
import { failureOfSent } from './outcome.ts';

/**
 * Runs statements, on the pool or in one transaction. Queries are written with kysely's `sql` tag, so values are always
 * parameters.
 */
export interface Sql extends QueryExecutorProvider {
  /**
   * The time, as an expression of a statement: PostgreSQL's while the statement runs. In a statement behind a lock it
   * is read after the wait, in the one that locks before it. No process's clock decides about periods and holds (G36).
   */
  clock(): RawBuilder<Date>;
}

/**
 * A transaction. Statements begun together leave in one packet and run in that order, each seeing what those before it
 * wrote.
 */
export interface Tx extends Sql {
  /** Sends a write without waiting for it: the commit follows at once and fails if the write does. */
  write(statement: RawBuilder<unknown>): void;
}

/** Runs each statement by itself, on any connection. */
export function onPool(pool: Pool, clock: Sql['clock']): Sql {
  const names = namesOf(pool);
  return runner(clock, async (consume) => {
    const client = await pool.connect();
    let isLost = false;
    try {
      return await consume(connectionOf(client, names, true));
    } catch (error) {
      isLost = isConnectionLost(error);
      throw error;
    } finally {
      // A connection that the driver gave up a moment ago may still look usable, so the error decides.
      client.release(isLost);
    }
  });
}

/**
 * Runs each statement by itself in a transaction that only reads, under a limit of its own.
 * @param options.withinMs how long PostgreSQL may work on it. Then it fails, as unavailable. `sortMegabytes`: how much
 *   memory each of its sorts and groups may take. `enter` runs it once there is a place for one more.
 */
export function onPoolForReads(
  pool: Pool,
  clock: Sql['clock'],
  {
    withinMs,
    sortMegabytes,
    enter,
  }: {
    readonly withinMs: number;
    readonly sortMegabytes?: number;
    readonly enter: <T>(work: () => Promise<T>) => Promise<T>;
  },
): Sql {
  const names = namesOf(pool);
  const room = sortMegabytes === undefined ? '' : `; set local work_mem = '${sortMegabytes}MB'`;
  const begin = `begin isolation level read committed read only; set local statement_timeout = ${withinMs}${room}`;
  return runner(clock, (consume) =>
    enter(async () => {
      const client = await pool.connect();
      const sent = new Sent();
      sent.add(client.query(begin));
      let ended = false;
      try {
        const result = await consume(connectionOf(client, names, false));
        sent.add(client.query('commit'));
        await sent.settle();
        ended = true;
        return result;
      } catch (error) {
        const cause = sent.failure ?? error;
        if (isConnectionLost(cause) && !isCanceled(cause)) throw cause;
        ended = await client.query('rollback').then(
          () => true,
          () => false,
        );
        throw cause;
      } finally {
        client.release(!ended);
      }
    }),
  );
}

/**
 * Runs `work` in a READ COMMITTED transaction. `begin` leaves with the first statement and `commit` with the last ones,
 * so a transaction that reads, decides and writes waits for the server twice, not once a statement. Each `begin` names
 * the level, because a read after a lock must see what the lock's last holder wrote, and a pooler may hand out a
 * connection without our default. Under an operator's REPEATABLE READ, 20 sends at once reached 116 % of an allowance,
 * where the ceiling is 105 %.
 * @param options.lockWithinMs how long a statement waits for a lock; 0: as long as a statement may take. Undefined: the
 *   connection's limit.
 * @throws OutcomeUnknown when `commit` was sent and nothing was heard of it.
 */
export async function transact<T>(
  pool: Pool,
  clock: Sql['clock'],
  work: (tx: Tx) => Promise<T>,
  { lockWithinMs }: { readonly lockWithinMs?: number | undefined } = {},
): Promise<T> {
  const client = await pool.connect();
  const sent = new Sent();
  const limit = lockWithinMs === undefined ? '' : `; set local lock_timeout = ${lockWithinMs}`;
  sent.add(client.query(`begin isolation level read committed${limit}`));
  let ended = false;
  let isLost = false;
  let committing = false;
  try {
    const result = await work(txOn(client, clock, { sent, names: namesOf(pool) }));
    committing = true;
    const command = client.query('commit').then((answer) => answer.command);
    sent.add(command);
    await sent.settle();
    ended = true;
    // PostgreSQL answers a commit with a rollback when an earlier statement failed and its error was swallowed.
    if ((await command) !== 'COMMIT') throw new Error('a transaction with a failed statement was committed');
    return result;
  } catch (error) {
    if (!ended)
      ended = await client.query('rollback').then(
        () => true,
        () => false,
      );
    // A write that failed while nobody waited for it made every later statement fail, so it is the cause.
    const cause = sent.failure ?? error;
    isLost = isConnectionLost(cause);
    throw committing ? failureOfSent(cause) : cause;
  } finally {
    // A connection that may still be in a transaction must not be used again, nor one to a node that takes no writes.
    client.release(!ended || isLost);
  }
}

/** A lock that was not granted says nothing against the connection. */
function isConnectionLost(error: unknown): boolean {
  return isUnavailable(error) && !isLockTimeout(error);
}

function txOn(client: PoolClient, clock: Sql['clock'], { sent, names }: { sent: Sent; names: Names }): Tx {
  const connection = connectionOf(client, names, false);
  const on = runner(clock, (consume) => consume(connection));
  return { ...on, write: (statement) => sent.add(statement.execute(on)) };
}

/** The statements that were sent without being waited for. */
class Sent {
  readonly #answers: Promise<unknown>[] = [];
  /** The first failure in the order of the statements. */
  failure: Error | null = null;

  add(statement: Promise<unknown>): void {
    this.#answers.push(
      statement.catch((error: unknown) => {
        this.failure ??= error instanceof Error ? error : new Error(String(error));
      }),
    );
  }

  /** @throws the first failure, once all statements have been answered. */
  async settle(): Promise<void> {
    await Promise.all(this.#answers);
    if (this.failure !== null) throw this.failure;
  }
}

const compiler = new PostgresQueryCompiler();
const adapter = new PostgresAdapter();

function runner(
  clock: Sql['clock'],
  provideConnection: <T>(consume: (connection: DatabaseConnection) => Promise<T>) => Promise<T>,
): Sql {
  const executor = new DefaultQueryExecutor(compiler, adapter, { provideConnection });
  return { getExecutor: () => executor, clock };
}

/** @param alone each statement commits itself. */
function connectionOf(client: PoolClient, names: Names, alone: boolean): DatabaseConnection {
  return {
    async executeQuery<Row>({ sql: text, parameters }: CompiledQuery) {
      try {
        // A text without values may hold several commands, which cannot be prepared.
        const { rows, rowCount, command } = await client.query(
          parameters.length === 0 ? text : { name: names.of(text), text, values: [...parameters] },
        );
        return { rows: rows as Row[], ...(COUNTED.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) };
      } catch (error) {
        throw alone && WRITES.test(text) ? failureOfSent(error) : error;
      }
    },
    streamQuery() {
      throw new Error('nothing here is streamed');
    },
  };
}

const WRITES = /\b(insert into|update|delete from)\b/i;
const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** Named statements are parsed and planned once a connection instead of with every turn. */
class Names {
  readonly #names = new Map<string, string>();

  /**
   * A name depends on the text alone (132 bits of its hash). Behind a pooler that does not keep statements apart,
   * processes share a connection, and one name for two texts would run the wrong one.
   */
  of(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MOST_NAMES) return known;
    const name = createHash('sha256').update(text).digest('base64url').slice(0, 22);
    this.#names.set(text, name);
    return name;
  }
}

/**
 * The program has fewer texts than this. The limit keeps code that builds texts from values from filling the server's
 * memory.
 */
const MOST_NAMES = 500;
/** Each server's: the texts of one database take no other's names. */
const NAMES = new WeakMap<Pool, Names>();

function namesOf(pool: Pool): Names {
  let names = NAMES.get(pool);
  if (names === undefined) NAMES.set(pool, (names = new Names()));
  return names;
}
