import { sql } from 'kysely';
import type { KeyScope } from '../../domain/api-keys.ts';
import { AppError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/period.ts';
import { columnsOf } from '../columns.ts';
import { first, type Database, type Sql } from '../database.ts';
import { ApiKey } from '../entities/keys/api-key.ts';
import { User } from '../entities/user.ts';
import { isLongUnseen, noteSeen } from './identities.ts';
import { hashSecret, mintSecret, SECRET } from './secrets.ts';
import { principalColumns, type Principal } from './users.ts';

/** The key that let a person in. */
export interface HeldKey {
  readonly keyId: number;
  /** The secret that came, by its hash in hex: a key that is being rotated has two. */
  readonly secretHash: string;
  /** Null: the operator made it, and it may what its person may. */
  readonly scopes: readonly KeyScope[] | null;
  /** Null: every model on offer. */
  readonly models: readonly string[] | null;
  readonly isCapped: boolean;
  readonly requestsPerMinute: number | null;
  /** Its person has no other way to sign in: no issuer knows them. */
  readonly isTheirSignIn: boolean;
}

/** A person with the key that let them in. */
export interface KeyHolder {
  readonly principal: Principal;
  readonly key: HeldKey;
}

/**
 * Finds the person of a key of ours. A key that a person made is never an admin's, and an admin of an issuer is an
 * admin by the issuer's tokens only, because a key would outlive the claim. The last use is recorded at most once a
 * minute.
 * @param from the network of the address from which it came.
 * @returns null for an unknown, malformed, revoked or expired secret.
 */
export async function authenticateToken(
  database: Database,
  { token, from }: { token: string; from: string | null },
): Promise<KeyHolder | null> {
  if (!SECRET.test(token)) return null;
  const hash = hashSecret(token);
  const found = await first(
    sql<Principal & Omit<HeldKey, 'secretHash'> & { stale: boolean; isUnseen: boolean }>`
    select ${principalColumns}, ${columnsOf(ApiKey, 'k', { keyId: 'id', scopes: 'scopes', models: 'models', requestsPerMinute: 'requestsPerMinute' })},
      case when u.issuer is null and k.scopes is null then u.role else 'user' end as role,
      k.cap_tokens is not null as "isCapped", u.issuer is null and k.scopes is null as "isTheirSignIn",
      (k.last_used_at is null or k.last_used_at < now() - interval '1 minute') as stale, ${isLongUnseen} as "isUnseen"
    from api_keys k join users u on u.id = k.user_id
      join accounts a on a.id = coalesce(k.account_id, (select id from accounts where user_id = k.user_id))
    where k.id = ${idOfSecret(sql`${hash}::bytea`)} and ${isLive}`,
    database.sql,
  );
  if (found === null) return null;
  const { stale, isUnseen, keyId, scopes, models, isCapped, requestsPerMinute, isTheirSignIn, ...principal } = found;
  if (isUnseen) await noteSeen(database.sql, principal.userId);
  // Nobody waits for a key that somebody else has locked.
  if (stale)
    await sql`update api_keys set last_used_at = now(), last_used_from = ${from}
      where id = (select id from api_keys where id = ${keyId} for no key update skip locked)`.execute(database.sql);
  const key = { keyId, secretHash: hash.toString('hex'), scopes, models, isCapped, requestsPerMinute, isTheirSignIn };
  return { principal, key };
}

/** Two searches, each by an index of its own. */
function idOfSecret(hash: ReturnType<typeof sql>) {
  return sql`(select id from api_keys where token_hash = ${hash}
    union all select id from api_keys where previous_hash = ${hash} and previous_ends_at > now() limit 1)`;
}

/** Of a key `k`: neither revoked nor at its end, by PostgreSQL's clock. */
export const isLive = sql`k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`;

/** @returns those of the secrets, by their hashes in hex, that are still good. */
export async function findLiveSecrets(on: Sql, hashes: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ hash: string }>`select hash from unnest(${hashes}::text[]) hash
    where exists (select 1 from api_keys k where k.id = ${idOfSecret(sql`decode(hash, 'hex')`)} and ${isLive})`.execute(
    on,
  );
  return new Set(rows.map(({ hash }) => hash));
}

/**
 * Makes a key for the operator: it may what its person may.
 * @param key.expiresAt when it ends by itself, in milliseconds; null: when it is revoked.
 * @throws AppError not_found.
 */
export async function createToken(
  database: Database,
  { userId, expiresAt = null }: { userId: number; expiresAt?: Instant | null },
): Promise<{ tokenId: number; token: string }> {
  const em = database.em();
  const user = await em.findOne(User, { id: userId });
  if (user === null) throw new AppError('not_found');
  const { secret, hash, hint } = mintSecret();
  const key = em.create(ApiKey, {
    user,
    tokenHash: hash,
    tokenHint: hint,
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
  });
  await em.flush();
  return { tokenId: key.id, token: secret };
}

/** @returns whether a live token was revoked. */
export async function revokeToken(database: Database, which: { token?: string; tokenId?: number }): Promise<boolean> {
  const { token, tokenId = 0 } = which;
  const named = token === undefined ? sql`id = ${tokenId}` : sql`id = ${idOfSecret(sql`${hashSecret(token)}::bytea`)}`;
  const { numAffectedRows = 0n } = await sql`update api_keys set revoked_at = now()
    where ${named} and revoked_at is null`.execute(database.sql);
  return numAffectedRows === 1n;
}
