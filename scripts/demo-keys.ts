import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../db/database.ts';
import { findAccount } from '../db/money/accounts.ts';
import { authenticateToken, createToken } from '../db/people/key-holders.ts';
import { createUser } from '../db/people/users.ts';

export interface DemoKeys {
  /** Made anew by each start. The page behind the printed address sends it and gets the keys. */
  readonly secret: string;
  readonly user: { readonly userId: 1; readonly token: string };
  readonly admin: { readonly userId: 2; readonly token: string };
}

/**
 * Keeps the demo keys in `DATA_DIR/demo.json`. Each start finds the same keys and makes a new secret; keys that the
 * database does not know are minted again.
 */
export async function mintDemoKeys(database: Database, dataDir: string): Promise<DemoKeys> {
  const file = join(dataDir, 'demo.json');
  const known = readKnown(file);
  const user = await keyFor(database, { id: 1, role: 'user', email: 'demo@turnkeeper.example' }, known.user?.token);
  const admin = await keyFor(database, { id: 2, role: 'admin', email: 'admin@turnkeeper.example' }, known.admin?.token);
  const keys: DemoKeys = {
    secret: randomBytes(24).toString('base64url'),
    user: { userId: 1, token: user },
    admin: { userId: 2, token: admin },
  };
  writeFileSync(`${file}.new`, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
  return keys;
}

async function keyFor(
  database: Database,
  user: { id: number; role: 'user' | 'admin'; email: string },
  known: unknown,
): Promise<string> {
  if (
    typeof known === 'string' &&
    (await authenticateToken(database, { token: known, from: null }))?.principal.userId === user.id
  )
    return known;
  const exists = (await findAccount(database.sql, user.id)) !== null;
  return exists ? (await createToken(database, { userId: user.id })).token : (await createUser(database, user)).token;
}

function readKnown(file: string): { user?: { token?: unknown }; admin?: { token?: unknown } } {
  try {
    const known: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof known === 'object' && known !== null ? known : {};
  } catch {
    // A file that is missing or damaged costs nothing: new keys are as good.
    return {};
  }
}
