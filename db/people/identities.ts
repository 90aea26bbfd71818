import { sql } from 'kysely';
import type { Identity } from '../../domain/identity.ts';
import { first, one, type Database, type Sql } from '../database.ts';
import { principalColumns, type Principal } from './users.ts';

/**
 * The person for whom an issuer vouches. It reads one row, and writes only at the first sight of a person and when the
 * claims have changed. The request has the role of its own token. The role stored for lists is that of the newest
 * token, and the e-mail that of the newest token that had one.
 */
export async function openIdentity(database: Database, identity: Identity): Promise<Principal> {
  const person = (await findPerson(database.sql, identity)) ?? (await makePerson(database.sql, identity));
  const { storedRole, claimsAt, ...principal } = person;
  const email = identity.email ?? principal.email;
  if ((storedRole !== identity.role || email !== principal.email) && identity.issuedAt > claimsAt) {
    await sql`update users set role = ${identity.role}, email = lower(${email}), claims_at = to_timestamp(${identity.issuedAt}::float8 / 1000)
      where id = ${principal.userId} and claims_at < to_timestamp(${identity.issuedAt}::float8 / 1000)`.execute(
      database.sql,
    );
  }
  return { ...principal, email, role: identity.role };
}

interface Person extends Omit<Principal, 'role'> {
  readonly storedRole: Principal['role'];
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
  { issuer, subject, role, email, locale, timeZone, issuedAt }: Identity,
): Promise<Person> {
  await sql`
    with person as (
      insert into users (issuer, subject, role, email, locale, claims_at)
      values (${issuer}, ${subject}, ${role}, lower(${email}), ${locale}, to_timestamp(${issuedAt}::float8 / 1000))
      on conflict (issuer, subject) do nothing returning id)
    insert into accounts (user_id, time_zone) select id, ${timeZone} from person`.execute(on);
  return one(selectPerson(issuer, subject), on);
}

function selectPerson(issuer: string, subject: string) {
  return sql<Person>`select ${principalColumns}, u.role as "storedRole", extract(epoch from u.claims_at)::float8 * 1000 as "claimsAt"
    from users u join accounts a on a.user_id = u.id where u.issuer = ${issuer} and u.subject = ${subject}`;
}
