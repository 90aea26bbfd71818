import { Client } from 'pg';
import { until } from './until.ts';

/** Rows that a transaction of the test has locked: whoever wants them waits until they are released. */
export interface RowLock {
  /** Whether somebody, or so many, wait for the rows. */
  isWanted(by?: number): Promise<boolean>;
  /**
   * Queues for the lock behind those who wait now.
   * @returns when it is in the queue; `granted` resolves when those have had the rows.
   */
  queue(): Promise<{ readonly granted: Promise<RowLock> }>;
  release(): Promise<void>;
}

interface Rows {
  readonly url: string;
  readonly query: string;
  readonly values: readonly unknown[];
  /** `no key update`, the program's own kind of lock, lets rows be inserted that refer to these. */
  readonly strength: 'update' | 'no key update';
}

/**
 * @param query selects the rows, for example `select 1 from accounts where user_id = $1`.
 * @throws when it finds none, because a lock on nothing stops nobody.
 */
export async function lockRows(
  url: string,
  query: string,
  values: readonly unknown[],
  strength: Rows['strength'] = 'update',
): Promise<RowLock> {
  const rows = { url, query, values, strength };
  return take(await begin(url), rows);
}

/** Lets the step through that waits now, and holds the next one. */
export async function stepOn(lock: RowLock): Promise<RowLock> {
  const { granted } = await lock.queue();
  await lock.release();
  const next = await granted;
  await until(() => next.isWanted());
  return next;
}

async function begin(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('begin');
  return client;
}

async function take(client: Client, rows: Rows): Promise<RowLock> {
  const { rowCount } = await client.query(`${rows.query} for ${rows.strength}`, [...rows.values]);
  if (rowCount === 0) {
    await client.end();
    throw new Error(`nothing to lock: ${rows.query}`);
  }
  return {
    async isWanted(by = 1) {
      // pg_stat_activity cannot be used: within a transaction it keeps showing the backends of the first look.
      // A second one waits for the first, not for us.
      const waiting = await client.query(
        `with recursive waiting as (
          select pid from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))
          union
          select l.pid from pg_locks l join waiting w on w.pid = any(pg_blocking_pids(l.pid)) where not l.granted
        ) select 1 from waiting`,
      );
      return (waiting.rowCount ?? 0) >= by;
    },
    async queue() {
      const next = await begin(rows.url);
      const {
        rows: [own],
      } = await next.query<{ pid: number }>('select pg_backend_pid() as pid');
      const granted = take(next, rows);
      granted.catch(() => {});
      await until(
        async () =>
          (await client.query('select 1 from pg_locks where pid = $1 and not granted', [own?.pid])).rowCount === 1,
      );
      return { granted };
    },
    async release() {
      await client.query('rollback');
      await client.end();
    },
  };
}
