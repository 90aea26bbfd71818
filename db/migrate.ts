import { sql } from 'kysely';
import { MIGRATIONS } from '../migrations/index.ts';
import { SetupError } from '../domain/setup-error.ts';
import { first, openDatabase, type Database } from './database.ts';

// Any constant: it only has to differ from other programs' advisory locks in the same database.
const MIGRATION_LOCK = 7_266_533_001;

/**
 * Brings the schema of the database at `url` up to date, on connections of its own, on which a statement may take as
 * long as a large table asks for; several processes may call it at once, one migrates and the others wait.
 * @returns the names applied now, oldest first.
 */
export async function migrate(url: string): Promise<string[]> {
  const database = await openDatabase({ url, poolMax: 2, answerWithinMs: null });
  try {
    return await migrateLocked(database);
  } finally {
    await database.close();
  }
}

async function migrateLocked(database: Database): Promise<string[]> {
  return database.orm.em
    .getKysely()
    .connection()
    .execute(async (connection) => {
      await sql`select pg_advisory_lock(${MIGRATION_LOCK})`.execute(connection);
      try {
        const applied = await database.orm.migrator.up();
        return applied.map((migration) => migration.name);
      } finally {
        await sql`select pg_advisory_unlock(${MIGRATION_LOCK})`.execute(connection);
      }
    });
}

/**
 * @throws SetupError when the schema is older than this code: a role must not run on it. A newer schema is fine
 *   (rolling deploys).
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
