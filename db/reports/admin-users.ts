import { sql, type RawBuilder } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import type { Locale } from '../../domain/messages.ts';
import type { NamedPerson, PeopleOrder } from '../../domain/people.ts';
import type { Instant } from '../../domain/period.ts';
import { levelOf, usagePercent, type Level } from '../../domain/policy.ts';
import { parseId } from '../../domain/text.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, type Database, type Sql } from '../database.ts';
import { Account } from '../entities/account.ts';
import { Hold } from '../entities/hold.ts';
import { LedgerEntry } from '../entities/ledger-entry.ts';
import { User } from '../entities/user.ts';
import { whenHoldExpires } from './turn-detail.ts';

/** A person as an admin sees them. Instants are milliseconds. */
export interface UserRecord extends NamedPerson {
  readonly accountId: number;
  /** The issuer that vouches for the person, and the person's name there; both null for a person with a key of ours. */
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly role: 'user' | 'admin';
  readonly locale: Locale;
  readonly timeZone: string;
  readonly suspendedAt: Instant | null;
  readonly createdAt: Instant;
  /** To five minutes; null: never, as far as is known. */
  readonly lastSeenAt: Instant | null;
  /** Of the open period. */
  readonly usedTokens: number;
  readonly usagePercent: number;
  readonly level: Level;
}

export interface UserFilter {
  readonly userId?: number | undefined;
  /** Beginning of the e-mail, in any case. */
  readonly email?: string | undefined;
  /** Their number, or the beginning of their e-mail or name, in any case. */
  readonly who?: string | undefined;
  readonly role?: 'user' | 'admin' | undefined;
  readonly suspended?: boolean | undefined;
}

export interface UserList {
  readonly filter: UserFilter;
  /** By their numbers unless told. */
  readonly order?: PeopleOrder | undefined;
  readonly limit: number;
  readonly cursor: string | null;
}

/** A page of people. */
export async function listUsers(database: Database, list: UserList): Promise<Page<UserRecord>> {
  const { rows } = await selectUsers(database.reads, list).execute(database.reads).catch(rethrowBadCursor);
  const page = pageOf(rows, list.limit, ({ userId, key }) => encodeCursor(key === null ? [userId] : [key, userId]));
  return { ...page, items: page.items.map(recordOf) };
}

/**
 * What each order sorts by before the number. Each has an index, but for the tokens used: they change with each debit,
 * whose row an index on them would make dearer for every turn. All open periods are sorted instead (`bench:stats`).
 */
const SORTED_BY = {
  number: null,
  email: { key: sql`coalesce(u.email, '') collate "C"`, type: sql`text` },
  lastSeen: { key: sql`coalesce(u.last_seen_at, '-infinity'::timestamptz)`, type: sql`timestamptz` },
  usedTokens: { key: sql`coalesce(p.used_tokens, 0)`, type: sql`bigint` },
} as const;

/** Exported for the test that checks the query plan. */
export function selectUsers(on: Sql, { filter, order = 'number', limit, cursor }: UserList) {
  const by = SORTED_BY[order.replace('-', '') as keyof typeof SORTED_BY];
  const [direction, beyond] = order.startsWith('-') ? [sql`desc`, sql`<`] : [sql`asc`, sql`>`];
  const conditions = [sql`true`, ...conditionsOf(filter)];
  if (cursor !== null && by === null) conditions.push(sql`u.id ${beyond} ${decodeCursor(cursor, ['number'])[0]}`);
  if (cursor !== null && by !== null) {
    const [key, id] = decodeCursor(cursor, ['string', 'number']);
    conditions.push(sql`(${by.key}, u.id) ${beyond} (${key}::${by.type}, ${id}::bigint)`);
  }
  return sql<UserRow & { key: string | null }>`${selectUser(on, by === null ? sql`null::text` : sql`(${by.key})::text`)}
    where ${sql.join(conditions, sql` and `)}
    order by ${by === null ? sql`` : sql`${by.key} ${direction}, `}u.id ${direction} limit ${limit + 1}`;
}

function conditionsOf({ userId, email, who, role, suspended }: UserFilter) {
  const id = who === undefined ? null : parseId(who);
  const beginning = who?.normalize('NFC').toLowerCase();
  return [
    ...(userId === undefined ? [] : [sql`u.id = ${userId}`]),
    ...(email === undefined ? [] : [sql`starts_with(u.email, ${email.normalize('NFC').toLowerCase()})`]),
    ...(beginning === undefined
      ? []
      : [
          sql`(u.id = ${id}::bigint or starts_with(u.email, ${beginning}) or starts_with(lower(u.name), ${beginning}))`,
        ]),
    ...(role === undefined ? [] : [sql`u.role = ${role}`]),
    ...(suspended === undefined ? [] : [suspended ? sql`a.suspended_at is not null` : sql`a.suspended_at is null`]),
  ];
}

/** @throws AppError not_found. */
export async function getUser(on: Sql, userId: number): Promise<UserRecord> {
  const user = await first(sql<UserRow>`${selectUser(on, sql`null::text`)} where u.id = ${userId}`, on);
  if (user === null) throw new AppError('not_found');
  return recordOf(user);
}

function recordOf({ total, key: _, ...user }: UserRow & { key?: string | null }): UserRecord {
  const { usedTokens } = user;
  return { ...user, usagePercent: usagePercent(usedTokens, total), level: levelOf(usedTokens, total) };
}

export interface LiveHold {
  readonly holdId: string;
  readonly turnId: string;
  readonly tokens: number;
  readonly createdAt: Instant;
  /** Null once the answer is stored, because the hold then waits for settle. */
  readonly expiresAt: Instant | null;
}

const HOLDS_SHOWN = 100;

/** Holds that count against the account now, oldest first, at most 100. */
export async function listLiveHolds(on: Sql, accountId: number): Promise<LiveHold[]> {
  const { rows } = await sql<
    RowOf<typeof holdColumns> & RowOf<typeof whenHoldExpires>
  >`select ${holdColumns}, ${whenHoldExpires}
    from holds h where account_id = ${accountId} and ended_at is null and expires_at > ${on.clock()} order by created_at limit ${HOLDS_SHOWN}`.execute(
    on,
  );
  return rows;
}

/** A ledger entry as it was booked. The signed deltas say how it moved each counter. */
export interface EntryRecord {
  readonly entryId: number;
  readonly kind: 'debit' | 'grant' | 'reversal' | 'adjustment';
  readonly tokens: number;
  readonly period: string;
  readonly turnId: string | null;
  readonly reversesId: number | null;
  /** What is left of a grant to take back; null for all else. */
  readonly leftTokens: number | null;
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
  const { rows } = await sql<
    RowOf<typeof entryColumns> & { allowanceDelta: number; period: string; leftTokens: number | null }
  >`
    select ${entryColumns}, case when e.kind = 'grant' then (e.tokens
        + (select coalesce(sum(tokens), 0) from ledger_entries r where r.reverses_id = e.id))::float8 end as "leftTokens", -e.spent_allowance_delta::float8 as "allowanceDelta", p.label as period
    from ledger_entries e join periods p on p.id = e.period_id
    where e.account_id = ${accountId} ${before === null ? sql`` : sql`and e.id < ${before}`}
    order by e.id desc limit ${limit + 1}`
    .execute(on)
    .catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ entryId }) => encodeCursor([entryId]));
}

const personColumns = columnsOf(User, 'u', {
  userId: 'id',
  email: 'email',
  issuer: 'issuer',
  subject: 'subject',
  role: 'role',
  locale: 'locale',
  createdAt: 'createdAt',
  name: 'name',
  lastSeenAt: 'lastSeenAt',
});
const accountColumns = columnsOf(Account, 'a', {
  accountId: 'id',
  timeZone: 'timeZone',
  suspendedAt: 'suspendedAt',
});
type UserRow = RowOf<typeof personColumns> &
  RowOf<typeof accountColumns> & { readonly usedTokens: number; readonly total: number };

function selectUser(on: Sql, key: RawBuilder<string | null>) {
  return sql`
  select ${personColumns}, ${accountColumns}, coalesce(p.used_tokens, 0)::float8 as "usedTokens", ${key} as key,
    (a.purchased_tokens + coalesce(p.allowance_tokens + p.spent_purchased_tokens, a.monthly_allowance_tokens))::float8 as total
  from users u join accounts a on a.user_id = u.id left join periods p on p.account_id = a.id and p.ends_at > ${on.clock()}`;
}
const holdColumns = columnsOf(Hold, 'h', {
  holdId: 'id',
  turnId: 'turnId',
  tokens: 'tokens',
  createdAt: 'createdAt',
});
const entryColumns = columnsOf(LedgerEntry, 'e', {
  entryId: 'id',
  kind: 'kind',
  tokens: 'tokens',
  turnId: 'turnId',
  reversesId: 'reversesId',
  reason: 'reason',
  purchasedDelta: 'purchasedDelta',
  debtDelta: 'debtDelta',
  overageDelta: 'overageDelta',
  estimated: 'estimated',
  overHold: 'overHold',
  ceilingMoved: 'ceilingMoved',
  createdAt: 'createdAt',
});
