import type { ClientBase } from 'pg';

/** What the program relies on, whatever an operator has set for the server, the database or the role (G36). */
const OURS = {
  // Where REPEATABLE READ is the default, statements that stand alone and meet at a row would fail (40001).
  default_transaction_isolation: 'read committed',
  standard_conforming_strings: 'on',
  timezone: 'UTC',
  // An earlier schema in the path could have tables by the names of ours.
  search_path: 'public',
} as const;

// `off` tells of a commit that a crash may still undo; what waits for copies as well is stronger than ours.
const DURABLE = `set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, false)`;

/** In milliseconds; 0: none. */
export interface SessionLimits {
  readonly statement_timeout: number;
  readonly lock_timeout: number;
  readonly idle_in_transaction_session_timeout: number;
}

/**
 * Makes a new connection ours. By a statement and not by parameters of the connection's start, most of which a pooler
 * refuses.
 * @throws ReadOnly; the database's own error when it refuses a setting.
 */
export async function prepareSession(client: ClientBase, limits: SessionLimits): Promise<void> {
  const settings = Object.entries({ ...OURS, ...limits }).map(
    ([name, value]) => `set_config('${name}', '${value}', false)`,
  );
  const { rows } = await client.query<{ isWritable: boolean }>(
    `select ${settings.join(', ')}, ${DURABLE}, current_setting('transaction_read_only') = 'off' as "isWritable"`,
  );
  if (rows[0]?.isWritable !== true) throw new ReadOnly();
}

/**
 * A node that takes no writes: a copy after a failover, a server whose disk is full. It counts as away, by the code
 * with which PostgreSQL itself refuses a write there.
 */
export class ReadOnly extends Error {
  override readonly name = 'ReadOnly';
  readonly code = '25006';

  constructor() {
    super('this PostgreSQL takes no writes');
  }
}
