import { sql, type RawBuilder } from 'kysely';

/** Where the person's mail goes: what a link of ours has confirmed, else what their issuer has verified; or null. */
export function addressOf(userId: number): RawBuilder<{ email: string | null }> {
  return sql`(select coalesce(a.email, case when u.issuer is not null then u.email end) as email
    from users u left join addresses a on a.user_id = u.id where u.id = ${userId})`;
}

/**
 * Whether an endpoint `e` may still be told, by its owner's role: whoever is no admin any more hears of their own
 * account only.
 */
export const isEntitled = sql<boolean>`(e.scope = 'account' or (select o.role from users o where o.id = e.user_id) = 'admin')`;

/** Whether an address has refused our mail for good. */
export function isSuppressed(email: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`exists (select 1 from suppressions s where s.hash = ${hashOfAddress(email)})`;
}

/** The SHA-256 of an address, by which it is suppressed. */
export function hashOfAddress(email: RawBuilder<unknown>): RawBuilder<Buffer> {
  return sql`sha256(convert_to(${email}, 'UTF8'))`;
}
