import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { EMAIL_RULE, parseEmail } from '../../domain/email.ts';
import { AppError } from '../../domain/errors.ts';
import type { Locale } from '../../domain/messages.ts';
import type { Instant } from '../../domain/period.ts';
import { noTimeZone, resolveTimeZone } from '../../domain/time-zones.ts';
import { columnsOf } from '../columns.ts';
import { first, one, violatedConstraint, type Database, type Sql } from '../database.ts';
import { Account } from '../entities/account.ts';
import { ApiKey, User } from '../entities/user.ts';
import { findAccount, lockAccount } from '../money/accounts.ts';
import { forgetReset } from '../money/armed.ts';

/** The person for whom a request with a bearer token acts. */
export interface Principal {
  readonly userId: number;
  readonly accountId: number;
  readonly role: 'user' | 'admin';
  readonly email: string | null;
  readonly locale: Locale;
  readonly timeZone: string;
  /** A suspended person may read, but neither send nor retry. */
  readonly suspended: boolean;
}

/** A person with the key that let them in. */
export interface KeyHolder extends Principal {
  readonly keyId: number;
}

const TOKEN = /^tk_[A-Za-z0-9_-]{43}$/;

/**
 * Finds the person of a key of ours. An admin of an issuer is an admin by the issuer's tokens only, because a key would
 * outlive the claim. The last use is recorded at most once a minute.
 * @returns null for an unknown, malformed, revoked or expired token.
 */
export async function authenticateToken(database: Database, token: string): Promise<KeyHolder | null> {
  if (!TOKEN.test(token)) return null;
  const found = await first(
    sql<KeyHolder & { stale: boolean }>`
    select ${principalColumns}, ${columnsOf(ApiKey, 'k', { keyId: 'id' })}, case when u.issuer is null then u.role else 'user' end as role, (k.last_used_at is null or k.last_used_at < now() - interval '1 minute') as stale
    from api_keys k join users u on u.id = k.user_id join accounts a on a.user_id = u.id
    where k.token_hash = ${hashToken(token)} and ${isLive}`,
    database.sql,
  );
  if (found === null) return null;
  const { stale, ...holder } = found;
  // Nobody waits for a key that somebody else has locked.
  if (stale)
    await sql`update api_keys set last_used_at = now() where id = (select id from api_keys where id = ${holder.keyId} for no key update skip locked)`.execute(
      database.sql,
    );
  return holder;
}

/** Neither revoked nor at its end, by PostgreSQL's clock. */
const isLive = sql`k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`;

/** @returns the ids of those keys that are still good. */
export async function findLiveKeys(on: Sql, keyIds: readonly number[]): Promise<Set<number>> {
  const { rows } = await sql<{ keyId: number }>`select ${columnsOf(ApiKey, 'k', { keyId: 'id' })} from api_keys k
    where k.id = any(${keyIds}::bigint[]) and ${isLive}`.execute(on);
  return new Set(rows.map(({ keyId }) => keyId));
}

export interface NewUser {
  readonly email: string | null;
  readonly role: 'user' | 'admin';
  readonly timeZone?: string;
  /** Set only for the two demo users of the embedded stack, who are 1 and 2. */
  readonly id?: number;
}

/**
 * @returns the user's id and first token, which is shown only here.
 * @throws AppError invalid_request (zone, or an e-mail that is none or taken).
 */
export async function createUser(database: Database, user: NewUser): Promise<{ userId: number; token: string }> {
  const timeZone = getTimeZone(user.timeZone ?? 'Asia/Seoul');
  const email = user.email === null ? null : parseEmail(user.email);
  if (email === null && user.email !== null)
    throw new AppError('invalid_request', { field: 'email', reason: EMAIL_RULE });
  const token = mintToken();
  try {
    return await database.transaction(async (tx) => {
      const em = tx.em();
      const row = em.create(User, {
        ...(user.id === undefined ? {} : { id: user.id }),
        email,
        role: user.role,
      });
      em.create(Account, { ...(user.id === undefined ? {} : { id: user.id }), user: row, timeZone });
      em.create(ApiKey, { user: row, tokenHash: hashToken(token), tokenHint: hintOf(token) });
      await em.flush();
      if (user.id !== undefined) await advanceIdentities(tx);
      return { userId: row.id, token };
    });
  } catch (error) {
    const violated = violatedConstraint(error);
    if (violated === 'users_email_is_unique')
      throw new AppError('invalid_request', { field: 'email', reason: 'already in use' });
    // Unicode grows: PostgreSQL may know a capital letter that we do not.
    if (violated === 'users_email_is_lower_case')
      throw new AppError('invalid_request', { field: 'email', reason: EMAIL_RULE });
    throw error;
  }
}

/**
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
  const token = mintToken();
  const key = em.create(ApiKey, {
    user,
    tokenHash: hashToken(token),
    tokenHint: hintOf(token),
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
  });
  await em.flush();
  return { tokenId: key.id, token };
}

/** @returns whether a live token was revoked. */
export async function revokeToken(database: Database, which: { token?: string; tokenId?: number }): Promise<boolean> {
  const where = which.token === undefined ? { id: which.tokenId ?? 0 } : { tokenHash: hashToken(which.token) };
  return (await database.em().nativeUpdate(ApiKey, { ...where, revokedAt: null }, { revokedAt: new Date() })) === 1;
}

/**
 * Changes zone and language. The period that has begun keeps its end (docs/architecture/time.md, Periods), so it is
 * opened first, under the lock. The caller arms the reset schedule anew, because it has to move to the new zone.
 */
export async function updateProfile(
  database: Database,
  change: { userId: number; timeZone?: string; locale?: Locale },
): Promise<Principal> {
  const timeZone = change.timeZone === undefined ? undefined : getTimeZone(change.timeZone);
  const account = await findAccount(database.sql, change.userId);
  if (account === null) throw new AppError('not_found');
  return database.locking(account, async (tx) => {
    if (timeZone !== undefined) {
      await forgetReset(tx, await lockAccount(tx, account.accountId));
      await sql`update accounts set time_zone = ${timeZone} where id = ${account.accountId}`.execute(tx);
    }
    if (change.locale !== undefined)
      await sql`update users set locale = ${change.locale} where id = ${change.userId}`.execute(tx);
    return getPrincipal(tx, change.userId);
  });
}

/** The zone that a name means. @throws AppError invalid_request. */
function getTimeZone(name: string): string {
  const timeZone = resolveTimeZone(name);
  if (timeZone === null) throw new AppError('invalid_request', { field: 'timeZone', reason: noTimeZone(name) });
  return timeZone;
}

export async function getPrincipal(on: Sql, userId: number): Promise<Principal> {
  return one(
    sql<Principal>`select ${principalColumns}, u.role from users u join accounts a on a.user_id = u.id where u.id = ${userId}`,
    on,
  );
}

/** All of a principal except the role, which depends on how the person signed in. */
export const principalColumns = sql`
  ${columnsOf(User, 'u', { userId: 'id', email: 'email', locale: 'locale' })},
  ${columnsOf(Account, 'a', { accountId: 'id', timeZone: 'timeZone' })}, a.suspended_at is not null as suspended`;

/** A token has 256 random bits, which nobody can guess, so a plain hash protects the table. */
function mintToken(): string {
  return `tk_${randomBytes(32).toString('base64url')}`;
}

function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function hintOf(token: string): string {
  return `${token.slice(0, 6)}…${token.slice(-4)}`;
}

/** Explicit ids do not move the identity sequences. Without this, the next user would collide with the demo users. */
async function advanceIdentities(on: Sql): Promise<void> {
  for (const table of ['users', 'accounts']) {
    await sql`select setval(pg_get_serial_sequence(${table}, 'id'), greatest((select max(id) from ${sql.table(table)}), 1))`.execute(
      on,
    );
  }
}

const USERS_AT_A_TIME = 1_000;

/** @returns the ids of `userIds` that exist. */
export async function findUserIds(on: Sql, userIds: readonly number[]): Promise<Set<number>> {
  const known = new Set<number>();
  for (let from = 0; from < userIds.length; from += USERS_AT_A_TIME) {
    const { rows } = await sql<{
      id: number;
    }>`select id::float8 as id from users where id = any(${userIds.slice(from, from + USERS_AT_A_TIME)}::bigint[])`.execute(
      on,
    );
    for (const { id } of rows) known.add(id);
  }
  return known;
}
