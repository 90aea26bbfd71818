import { sql } from 'kysely';
import type { Identity } from '../../domain/identity.ts';
import { first, one, type Database, type Sql } from '../database.ts';
import { principalColumns, type Principal } from './users.ts';

/**
 * The person for whom an issuer vouches. It reads one row, and writes only at the first sight of a person and when the
 * claims have changed. The request has the role of its own token. The role stored for lists is that of the newest
 * token, and e-mail and name are those of the newest token that had one.
 */
export async function openIdentity(database: Database, identity: Identity): Promise<Principal> {
  const person = (await findPerson(database.sql, identity)) ?? (await makePerson(database.sql, identity));
  const { storedRole, storedName, claimsAt, isUnseen, ...principal } = person;
  const email = identity.email ?? principal.email;
  const name = identity.name ?? storedName;
  if (isUnseen) await noteSeen(database.sql, principal.userId);
  const isOther = storedRole !== identity.role || email !== principal.email || name !== storedName;
  if (isOther && identity.issuedAt > claimsAt) {
    await sql`update users set role = ${identity.role}, email = lower(${email}), name = ${name}, claims_at = to_timestamp(${identity.issuedAt}::float8 / 1000)
      where id = ${principal.userId} and claims_at < to_timestamp(${identity.issuedAt}::float8 / 1000)`.execute(
      database.sql,
    );
  }
  return { ...principal, email, role: identity.role };
}

/** Whether a person `u` was last seen so long ago that it is written down again: to five minutes. */
export const isLongUnseen = sql<boolean>`(u.last_seen_at is null or u.last_seen_at < now() - interval '5 minutes')`;

/** Nobody waits for a person whose row somebody else has locked. */
export async function noteSeen(on: Sql, userId: number): Promise<void> {
  await sql`update users set last_seen_at = now()
    where id = (select id from users where id = ${userId} for no key update skip locked)`.execute(on);
}

interface Person extends Omit<Principal, 'role'> {
  readonly storedRole: Principal['role'];
  readonly storedName: string | null;
  readonly isUnseen: boolean;
  /** When the token was issued from which the stored role and e-mail come. */
  readonly claimsAt: number;
}

function findPerson(on: Sql, { issuer, subject }: Identity): Promise<Person | null> {
  return first(selectPerson(issuer, subject), on);
}

/**
 * User and account are made in one statement, so that nobody ever lacks an account. Of two first requests at once, the
 * second waits for the first and makes nobody.
 */
async function makePerson(
  on: Sql,
  { issuer, subject, role, email, name, locale, timeZone, issuedAt }: Identity,
): Promise<Person> {
  await sql`
    with person as (
      insert into users (issuer, subject, role, email, name, locale, last_seen_at, claims_at)
      values (${issuer}, ${subject}, ${role}, lower(${email}), ${name}, ${locale}, now(), to_timestamp(${issuedAt}::float8 / 1000))
      on conflict (issuer, subject) do nothing returning id)
    insert into accounts (user_id, time_zone) select id, ${timeZone} from person`.execute(on);
  return one(selectPerson(issuer, subject), on);
}

function selectPerson(issuer: string, subject: string) {
  return sql<Person>`select ${principalColumns}, u.role as "storedRole", u.name as "storedName", ${isLongUnseen} as "isUnseen", extract(epoch from u.claims_at)::float8 * 1000 as "claimsAt"
    from users u join accounts a on a.user_id = u.id where u.issuer = ${issuer} and u.subject = ${subject}`;
}
