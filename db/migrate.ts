import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { MIGRATIONS } from '../migrations/index.ts';
import { SetupError } from '../domain/setup-error.ts';
import { isLockTimeout } from './driver/availability.ts';
import { first, openDatabase, type Database } from './database.ts';

// Any constant will do: it only has to differ from other programs' advisory locks in the same database.
const MIGRATION_LOCK = 7_266_533_001;

/**
 * A migration that waits for a table's lock, because somebody reads the table, blocks everybody who comes after it: all
 * sends would wait as long as one report reads. So it gives up soon, lets the others go on, and tries again.
 */
const LOCK_WITHIN_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Brings the schema of the database at `url` up to date. It uses connections of its own, on which a statement may take
 * as long as a large table needs. When several processes call it at once, one migrates and the others wait.
 * @param options.patienceMs how long locks of others may keep it from any one step; 10 minutes by default.
 * @returns the names that were applied now, oldest first.
 * @throws SetupError when they kept it longer. What was applied until then stays.
 */
export async function migrate(
  url: string,
  { patienceMs = 600_000 }: { readonly patienceMs?: number } = {},
): Promise<string[]> {
  const database = await openDatabase({ url, poolMax: 2, answerWithinMs: null, lockWithinMs: LOCK_WITHIN_MS });
  try {
    return await migrateLocked(database, patienceMs);
  } finally {
    await database.close();
  }
}

async function migrateLocked(database: Database, patienceMs: number): Promise<string[]> {
  return database.orm.em
    .getKysely()
    .connection()
    .execute(async (connection) => {
      // The wait for another process's migration has no limit, because it keeps nobody waiting.
      await sql`set lock_timeout = 0`.execute(connection);
      await sql`select pg_advisory_lock(${MIGRATION_LOCK})`.execute(connection);
      try {
        return await applyPending(database, patienceMs);
      } finally {
        await sql`select pg_advisory_unlock(${MIGRATION_LOCK})`.execute(connection);
      }
    });
}

/** Each migration has a transaction of its own, so that none holds a lock while the next waits for its own. */
async function applyPending({ orm }: Database, patienceMs: number): Promise<string[]> {
  const applied: string[] = [];
  for (const { name } of await orm.migrator.getPending()) {
    const deadline = Date.now() + patienceMs;
    for (let pauseMs = LOCK_WITHIN_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await orm.migrator.up({ migrations: [name] });
        break;
      } catch (error) {
        if (!isLockTimeout(error)) throw error;
        if (Date.now() > deadline)
          throw new SetupError(
            `DATABASE_URL: the migration ${name} waits for a table that others have locked for too long; end what pg_stat_activity shows as oldest, then run it again.`,
            { cause: error },
          );
        await sleep(pauseMs);
      }
    }
    applied.push(name);
  }
  return applied;
}

/**
 * @throws SetupError when the schema is older than this code: no role may run on it. A newer schema is fine (rolling
 *   deploys).
 */
export async function assertMigrated(database: Database): Promise<void> {
  const exists = await first(
    sql<{ table: string | null }>`select to_regclass('schema_migrations')::text as "table"`,
    database.sql,
  );
  const pending = exists?.table == null ? MIGRATIONS.length : (await database.orm.migrator.getPending()).length;
  if (pending > 0)
    throw new SetupError(
      `DATABASE_URL: the schema lacks ${pending} migration(s); run \`npm run -s turnkeeper -- migrate\` first.`,
    );
}
