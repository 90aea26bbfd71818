import { sql } from 'kysely';
import type { AuditActor } from '../../domain/audit.ts';
import { EMAIL_RULE, parseEmail } from '../../domain/email.ts';
import { AppError } from '../../domain/errors.ts';
import type { Locale } from '../../domain/messages.ts';
import { noTimeZone, resolveTimeZone } from '../../domain/time-zones.ts';
import { writeAudit } from '../audit.ts';
import { columnsOf } from '../columns.ts';
import { one, violatedConstraint, type Database, type Sql, type Tx } from '../database.ts';
import { Account } from '../entities/account.ts';
import { ApiKey } from '../entities/keys/api-key.ts';
import { User } from '../entities/user.ts';
import { findAccount, lockAccount } from '../money/accounts.ts';
import { forgetReset } from '../money/armed.ts';
import { mintSecret } from './secrets.ts';
import { changeZone } from './zones.ts';

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

export interface NewPerson {
  readonly email: string | null;
  readonly role: 'user' | 'admin';
  readonly name?: string | null;
  readonly locale?: Locale;
  readonly timeZone?: string;
}

export interface NewUser extends NewPerson {
  /** Set only for the two demo users of the embedded stack, who are 1 and 2. */
  readonly id?: number;
}

/**
 * @returns the user's id and first token, which is shown only here.
 * @throws AppError invalid_request (zone, or an e-mail that is none or taken).
 */
export async function createUser(database: Database, user: NewUser): Promise<{ userId: number; token: string }> {
  const { secret: token, hash, hint } = mintSecret();
  return adding(database, user, async (tx, row) => {
    tx.em().create(ApiKey, { user: row, tokenHash: hash, tokenHint: hint });
    await tx.em().flush();
    if (user.id !== undefined) await advanceIdentities(tx);
    return { userId: row.id, token };
  });
}

/**
 * Makes a person with an account and without a key: an invitation gives them one.
 * @throws AppError as `createUser`.
 */
export async function createPerson(
  database: Database,
  { actor, ...person }: NewPerson & { actor: AuditActor },
): Promise<{ userId: number }> {
  return adding(database, person, async (tx, { id, role }) => {
    await writeAudit(tx, { actor, action: 'user.create', target: `user:${id}`, reason: null, after: { role } });
    return { userId: id };
  });
}

async function adding<Made>(
  database: Database,
  { id, name = null, locale, timeZone: zone, role, ...user }: NewUser,
  then: (tx: Tx, row: User) => Promise<Made>,
): Promise<Made> {
  const timeZone = getTimeZone(zone ?? 'Asia/Seoul');
  const email = user.email === null ? null : parseEmail(user.email);
  if (email === null && user.email !== null)
    throw new AppError('invalid_request', { field: 'email', reason: EMAIL_RULE });
  try {
    return await database.transaction(async (tx) => {
      const em = tx.em();
      const known = id === undefined ? {} : { id };
      const row = em.create(User, { ...known, email, role, name, ...(locale === undefined ? {} : { locale }) });
      em.create(Account, { ...known, user: row, timeZone });
      await em.flush();
      return then(tx, row);
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
 * Changes what a person is called and may do. A person of an issuer has the role of their token. Both rows are locked,
 * so that of two admins who take each other's role one stays an admin.
 * @throws AppError not_found; forbidden: the actor is an admin no more; invalid_request: one's own role, or that of an
 *   issuer's person.
 */
export async function changePerson(
  database: Database,
  wanted: {
    userId: number;
    name?: string | null | undefined;
    role?: 'user' | 'admin' | undefined;
    reason: string;
    actor: AuditActor;
  },
): Promise<void> {
  const { userId, name, role, reason, actor } = wanted;
  await database.transaction(async (tx) => {
    const { rows } = await sql<{ id: number; role: 'user' | 'admin'; issuer: string | null; name: string | null }>`
      select id::float8 as id, role, issuer, name from users where id in (${userId}, ${actor.adminId ?? userId})
      order by users.id for no key update`.execute(tx);
    const acting = rows.find(({ id }) => id === actor.adminId);
    if (acting?.issuer === null && acting.role !== 'admin') throw new AppError('forbidden');
    const before = rows.find(({ id }) => id === userId);
    if (before === undefined) throw new AppError('not_found');
    if (role !== undefined && role !== before.role) {
      // Else the last admin could shut everybody out.
      if (actor.adminId === userId)
        throw new AppError('invalid_request', { field: 'role', reason: 'your own role is changed by another admin' });
      if (before.issuer !== null)
        throw new AppError('invalid_request', { field: 'role', reason: 'their provider says what they may do' });
    }
    const isRenamed = name !== undefined && name !== before.name;
    await sql`update users set role = ${role ?? before.role},
      name = ${name === undefined ? sql`name` : sql`${name}::text`} where id = ${userId}`.execute(tx);
    // The name itself is the person's data: the log says only that it was changed.
    await writeAudit(tx, {
      actor,
      action: 'user.update',
      target: `user:${userId}`,
      reason,
      before: { role: before.role },
      after: { role: role ?? before.role, ...(isRenamed ? { nameChanged: true } : {}) },
    });
  });
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
      const locked = await lockAccount(tx, account.accountId);
      await forgetReset(tx, locked);
      changeZone(tx, locked, timeZone);
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
