import { MikroORM, type EntityManager } from '@mikro-orm/postgresql';
import { sql, type RawBuilder } from 'kysely';
import type { ClientBase, Pool } from 'pg';
import type { Instant } from '../domain/period.ts';
import type { TurnEnding } from '../domain/turn.ts';
import { assertReadable } from './driver/address.ts';
import { openPacketSocket } from './driver/packet-socket.ts';
import { kyselyOn } from './driver/kysely.ts';
import { createLanes, Places } from './driver/lanes.ts';
import { onPool, onPoolForReads, transact, type Sql, type Tx as Pipeline } from './driver/pipeline.ts';
import { prepareSession, ReadOnly } from './driver/session.ts';
import { traceClient, type TraceStatement } from './driver/trace.ts';
import { ormOptions } from './schema/orm-options.ts';

export type { Sql } from './driver/pipeline.ts';

/** A transaction that takes both SQL statements and entities. */
export interface Tx extends Pipeline {
  /**
   * The transaction's unit of work, made at the first call. Its changes are written before the commit. A statement that
   * must see them sooner waits for `flush()`.
   */
  em(): EntityManager;
}

export interface Database {
  /** A fresh unit of work (identity map) for entities: one per request, never shared. */
  em(): EntityManager;
  readonly sql: Sql;
  /**
   * For what people and admins look at: pages, searches, statistics. A statement may take 5 s, and all of them together
   * half of the connections, so that turns have the rest whoever looks at how much (G39).
   */
  readonly reads: Sql;
  /** For what adds up much of the books for an admin: as `reads`, with 15 s and room to sort, two at once. */
  readonly sums: Sql;
  /**
   * Runs `work` in a READ COMMITTED transaction. Locks are taken in one order: account, conversation, turn, then what
   * belongs to them.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in a transaction that locks the account's row, as soon as fewer than two others of that account have a
   * connection here. Both waits, for that and for a lock, end after some seconds with an error that counts as
   * unavailable: 2 s each, or 15 s where `isPatient`, because an answer that is paid for waits.
   */
  locking<T>(account: LockedBy, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs statements that may wait for the account's row and are no transaction, under the same limits. */
  inLane<T>(account: LockedBy, work: () => Promise<T>): Promise<T>;
  readonly orm: MikroORM;
  /** The state of the connection pool. */
  pool(): PoolState;
  /** @returns what its clock says. @throws when it does not answer, or takes no writes. */
  ping(): Promise<Instant>;
  close(): Promise<void>;
}

/** Whose row is locked, and whether who locks it may wait. */
export interface LockedBy {
  readonly accountId: number;
  readonly isPatient?: boolean;
}

export interface PoolState {
  readonly busy: number;
  readonly idle: number;
  readonly max: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly poolMax: number;
  readonly onTurnEnded?: ((ending: TurnEnding) => void) | undefined;
  readonly traceStatement?: TraceStatement | undefined;
  readonly answerWithinMs?: number | null | undefined;
  readonly lockWithinMs?: number | undefined;
  readonly now?: (() => Instant) | undefined;
}

/** The driver's limit is above PostgreSQL's own, so that it is reached only when a server or a network is silent. */
const ANSWER_WITHIN_MS = 20_000;
const STATEMENT_WITHIN_MS = 15_000;
const READS = { withinMs: 5_000 } as const;
const SUMS = { withinMs: STATEMENT_WITHIN_MS, sortMegabytes: 64 } as const;
/**
 * Whoever asks is told soon that a row is locked, and asks again: with the 15 s of a statement, 25 sends of one locked
 * account took all connections, and everybody's sends were refused.
 */
const LOCK_WITHIN_MS = 2_000;

/**
 * @param options.url a PostgreSQL URL. `poolMax`: the most connections.
 * @param options.answerWithinMs a connection that does not answer for so long is given up, with all that was sent on
 *   it; 20 s by default. Null: no statement has a limit, here or in the server, because migrations read whole tables.
 * @param options.lockWithinMs a statement that waits so long for a lock fails (55P03); 2 s by default. 0: no limit.
 * @param options.now decides instead of PostgreSQL's clock. Only tests and benches have another time.
 * @param options.traceStatement runs each statement and gets its first word.
 * @param options.onTurnEnded called for each ending of a turn, after its transaction has committed.
 * @throws when the server cannot be reached within 5 s.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const {
    onTurnEnded,
    traceStatement,
    answerWithinMs = ANSWER_WITHIN_MS,
    lockWithinMs = LOCK_WITHIN_MS,
    now,
  } = options;
  // How long each wait may last: a connection 5 s, a statement 15 s, an idle transaction 30 s (a lost client must not
  // keep a lock). The server keeps the last two; when nothing of it arrives, the driver gives up the connection.
  const limits = {
    statement_timeout: answerWithinMs === null ? 0 : STATEMENT_WITHIN_MS,
    lock_timeout: lockWithinMs,
    idle_in_transaction_session_timeout: 30_000,
  };
  assertReadable(options.url);
  const ours = ormOptions(options.url);
  const orm = await MikroORM.init({
    ...ours,
    // An idle connection is kept for ten minutes: a new one costs 10 to 20 ms and all prepared statements.
    pool: { min: 0, max: options.poolMax, idleTimeoutMillis: 600_000 },
    driverOptions: {
      ...ours.driverOptions,
      connectionTimeoutMillis: 5_000,
      query_timeout: answerWithinMs ?? 0,
      keepAlive: true,
      application_name: 'turnkeeper',
      pipeline: true,
      stream: openPacketSocket,
      onConnect: (client: ClientBase) => prepareSession(client, limits),
      // Before the first connection, which comes with the pool.
      onPoolCreated: (created: Pool) => {
        if (traceStatement !== undefined) created.on('connect', (client) => traceClient(client, traceStatement));
      },
    },
    debug: false,
    logger: () => {},
  });
  const pool = await orm.em.getConnection().getNativeClient();
  const clock = now === undefined ? () => CLOCK : () => sql<Date>`${new Date(now())}::timestamptz`;
  const onAny = onPool(pool, clock);
  function unitOfWorkOn(pipeline: Pipeline): EntityManager {
    const em = orm.em.fork();
    em.setTransactionContext(kyselyOn(pipeline));
    return em;
  }
  function readsOf(limits: { readonly withinMs: number; readonly sortMegabytes?: number }, atOnce: number): Sql {
    const places = new Places(atOnce);
    return onPoolForReads(pool, clock, {
      ...limits,
      enter: (work) => places.use(performance.now() + limits.withinMs, work),
    });
  }
  const lanes = createLanes({ connections: options.poolMax });
  const inLane = <T>({ accountId, isPatient = false }: LockedBy, work: () => Promise<T>) =>
    lanes.enter(accountId, { withinMs: isPatient ? STATEMENT_WITHIN_MS : LOCK_WITHIN_MS }, work);
  async function run<T>(work: (tx: Tx) => Promise<T>, locks: { lockWithinMs?: number } = {}): Promise<T> {
    const endings: TurnEnding[] = [];
    const answerOf = async (pipeline: Pipeline) => {
      let em: EntityManager | undefined;
      const tx: Tx = { ...pipeline, em: () => (em ??= unitOfWorkOn(pipeline)) };
      const answer = await collectEndings(tx, endings, work);
      if (em !== undefined) await em.flush();
      return answer;
    };
    const result = await transact(pool, clock, answerOf, locks);
    if (onTurnEnded !== undefined) for (const ending of endings) onTurnEnded(ending);
    return result;
  }
  return {
    em: () => orm.em.fork(),
    sql: onAny,
    reads: readsOf(READS, Math.max(1, Math.floor(options.poolMax / 2))),
    sums: readsOf(SUMS, 2),
    transaction: (work) => run(work),
    locking: (account, work) => inLane(account, () => run(work, account.isPatient === true ? { lockWithinMs: 0 } : {})),
    inLane,
    orm,
    pool() {
      const { totalCount, idleCount, waitingCount } = pool;
      return { busy: totalCount - idleCount, idle: idleCount, max: options.poolMax, waiting: waitingCount };
    },
    ping: async () => {
      const { isWritable, at } = await one(
        sql<{ isWritable: boolean; at: Instant }>`
          select current_setting('transaction_read_only') = 'off' as "isWritable",
            floor(extract(epoch from clock_timestamp()) * 1000)::float8 as at`,
        onAny,
      );
      if (!isWritable) throw new ReadOnly();
      return at;
    },
    close: () => orm.close(true),
  };
}

/** A subquery is read once a statement, so that an index can be searched by it; the function alone, once a row. */
const CLOCK: RawBuilder<Date> = sql`(select clock_timestamp())`;

/** The time in a select list, in milliseconds. */
export function instantOf(on: Sql): RawBuilder<Instant> {
  return sql`floor(extract(epoch from ${on.clock()}) * 1000)::float8`;
}

/** What decides about time, in milliseconds: see `Sql.clock`. */
export async function readClock(on: Sql): Promise<Instant> {
  const { now } = await one(sql<{ now: Instant }>`select ${instantOf(on)} as now`, on);
  return now;
}

/** The only row of a query that always has one. */
export async function one<Row>(query: { execute(on: Sql): Promise<{ rows: Row[] }> }, on: Sql): Promise<Row> {
  const { rows } = await query.execute(on);
  const [row] = rows;
  if (row === undefined) throw new Error('a query that must find a row found none');
  return row;
}

/** The first row, or null. */
export async function first<Row>(query: { execute(on: Sql): Promise<{ rows: Row[] }> }, on: Sql): Promise<Row | null> {
  const { rows } = await query.execute(on);
  return rows[0] ?? null;
}

/** @returns the name of the violated constraint when the database refused a write, else null. */
export function violatedConstraint(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error) || !('constraint' in error)) return null;
  const { code, constraint } = error;
  return typeof code === 'string' && code.startsWith('23') && typeof constraint === 'string' ? constraint : null;
}

const endings = new WeakMap<Tx, TurnEnding[]>();

/**
 * Reports an ending after the commit of the transaction that makes it, so that no ending is counted twice or for
 * nothing.
 */
export function reportEnding(tx: Tx, ending: TurnEnding): void {
  endings.get(tx)?.push(ending);
}

/** Runs `work` and collects the endings that it reports in `noted`. */
function collectEndings<T>(tx: Tx, noted: TurnEnding[], work: (tx: Tx) => Promise<T>): Promise<T> {
  endings.set(tx, noted);
  return work(tx);
}
