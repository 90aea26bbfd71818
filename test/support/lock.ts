import { Client } from 'pg';

/** Rows locked by a transaction of the test's own: whoever wants them waits until it is released. */
export interface RowLock {
  /** Whether somebody waits for it. */
  isWanted(): Promise<boolean>;
  release(): Promise<void>;
}

/** @param query selects the rows, e.g. `select 1 from accounts where user_id = $1`. @throws when it finds none: a lock on nothing holds nobody. */
export async function lockRows(url: string, query: string, values: readonly unknown[]): Promise<RowLock> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('begin');
  const { rowCount } = await client.query(`${query} for update`, [...values]);
  if (rowCount === 0) {
    await client.end();
    throw new Error(`nothing to lock: ${query}`);
  }
  return {
    async isWanted() {
      const waiting = await client.query('select 1 from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))');
      return (waiting.rowCount ?? 0) > 0;
    },
    async release() {
      await client.query('rollback');
      await client.end();
    },
  };
}
