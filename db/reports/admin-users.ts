import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import type { Locale } from '../../domain/messages.ts';
import type { Instant } from '../../domain/period.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { first, type Database, type Sql } from '../database.ts';

/** A person as an admin sees them. Instants are milliseconds. */
export interface UserRecord {
  readonly userId: number;
  readonly accountId: number;
  readonly email: string | null;
  /** Who vouches for them, and by which name; null: a person with a key of ours. */
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly role: 'user' | 'admin';
  readonly locale: Locale;
  readonly timeZone: string;
  readonly suspendedAt: Instant | null;
  readonly createdAt: Instant;
}

export interface UserFilter {
  readonly userId?: number | undefined;
  /** Begins with, in any case. */
  readonly email?: string | undefined;
  readonly suspended?: boolean | undefined;
}

/** In the order of their ids. */
export async function listUsers(
  database: Database,
  { filter, limit, cursor }: { filter: UserFilter; limit: number; cursor: string | null },
): Promise<Page<UserRecord>> {
  const { rows } = await selectUsers({ filter, limit, cursor }).execute(database.sql).catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ userId }) => encodeCursor([userId]));
}

/** Exported for the test that asks the planner. */
export function selectUsers({
  filter: { userId, email, suspended },
  limit,
  cursor,
}: {
  filter: UserFilter;
  limit: number;
  cursor: string | null;
}) {
  const conditions = [
    sql`true`,
    ...(userId === undefined ? [] : [sql`u.id = ${userId}`]),
    ...(email === undefined ? [] : [sql`starts_with(u.email, ${email.toLowerCase()})`]),
    ...(suspended === undefined ? [] : [suspended ? sql`a.suspended_at is not null` : sql`a.suspended_at is null`]),
    ...(cursor === null ? [] : [sql`u.id > ${decodeCursor(cursor, ['number'])[0]}`]),
  ];
  return sql<UserRecord>`select ${userColumns} from users u join accounts a on a.user_id = u.id
    where ${sql.join(conditions, sql` and `)} order by u.id limit ${limit + 1}`;
}

/** @throws AppError not_found. */
export async function getUser(on: Sql, userId: number): Promise<UserRecord> {
  const user = await first(
    sql<UserRecord>`select ${userColumns} from users u join accounts a on a.user_id = u.id where u.id = ${userId}`,
    on,
  );
  if (user === null) throw new AppError('not_found');
  return user;
}

export interface LiveHold {
  readonly holdId: string;
  readonly turnId: string;
  readonly tokens: number;
  readonly createdAt: Instant;
  /** Null once the answer is stored: it waits for settle. */
  readonly expiresAt: Instant | null;
}

const HOLDS_SHOWN = 100;

/** Holds that count against the account now, oldest first; at most 100. */
export async function listLiveHolds(
  on: Sql,
  { accountId, now }: { accountId: number; now: Instant },
): Promise<LiveHold[]> {
  const { rows } = await sql<LiveHold>`select id as "holdId", turn_id as "turnId", tokens::float8 as tokens,
      floor(extract(epoch from created_at) * 1000)::float8 as "createdAt",
      case when expires_at = 'infinity' then null else floor(extract(epoch from expires_at) * 1000)::float8 end as "expiresAt"
    from holds where account_id = ${accountId} and ended_at is null and expires_at > ${new Date(now)} order by created_at limit ${HOLDS_SHOWN}`.execute(
    on,
  );
  return rows;
}

/** A ledger entry as it was booked. The deltas are signed: what it moved of each counter. */
export interface EntryRecord {
  readonly entryId: number;
  readonly kind: 'debit' | 'grant' | 'reversal' | 'adjustment';
  readonly tokens: number;
  readonly period: string;
  readonly turnId: string | null;
  readonly reversesId: number | null;
  readonly reason: string | null;
  readonly purchasedDelta: number;
  readonly debtDelta: number;
  readonly allowanceDelta: number;
  readonly overageDelta: number;
  readonly estimated: boolean;
  readonly overHold: boolean;
  readonly ceilingMoved: boolean;
  readonly createdAt: Instant;
}

/** Newest first. */
export async function listEntries(
  on: Sql,
  { accountId, limit, cursor }: { accountId: number; limit: number; cursor: string | null },
): Promise<Page<EntryRecord>> {
  const before = cursor === null ? null : decodeCursor(cursor, ['number'])[0];
  const { rows } = await sql<EntryRecord>`
    select e.id::float8 as "entryId", e.kind, e.tokens::float8 as tokens, p.label as period, e.turn_id as "turnId", e.reverses_id::float8 as "reversesId", e.reason,
      e.purchased_delta::float8 as "purchasedDelta", e.debt_delta::float8 as "debtDelta", -e.spent_allowance_delta::float8 as "allowanceDelta",
      e.overage_delta::float8 as "overageDelta", e.estimated, e.over_hold as "overHold", e.ceiling_moved as "ceilingMoved",
      floor(extract(epoch from e.created_at) * 1000)::float8 as "createdAt"
    from ledger_entries e join periods p on p.id = e.period_id
    where e.account_id = ${accountId} ${before === null ? sql`` : sql`and e.id < ${before}`}
    order by e.id desc limit ${limit + 1}`
    .execute(on)
    .catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ entryId }) => encodeCursor([entryId]));
}

const userColumns =
  sql.raw(`u.id::float8 as "userId", a.id::float8 as "accountId", u.email, u.issuer, u.subject, u.role, u.locale, a.time_zone as "timeZone",
  floor(extract(epoch from a.suspended_at) * 1000)::float8 as "suspendedAt", floor(extract(epoch from u.created_at) * 1000)::float8 as "createdAt"`);
