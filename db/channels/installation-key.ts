import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { one, type Database } from '../database.ts';

/** The random key of this name, 32 bytes, made by whoever asks first: all processes have the same one. */
export async function getInstallationKey({ sql: on }: Database, name: string): Promise<Buffer> {
  await sql`insert into installation_keys (name, key) values (${name}, ${randomBytes(32)}) on conflict (name) do nothing`.execute(
    on,
  );
  const { key } = await one(sql<{ key: Buffer }>`select key from installation_keys where name = ${name}`, on);
  return key;
}
