import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import type { Locale } from '../../domain/messages.ts';
import type { Instant } from '../../domain/period.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, type Database, type Sql } from '../database.ts';
import { Account } from '../entities/account.ts';
import { Hold } from '../entities/hold.ts';
import { LedgerEntry } from '../entities/ledger-entry.ts';
import { User } from '../entities/user.ts';
import { whenHoldExpires } from './turn-detail.ts';

/** A person as an admin sees them. Instants are milliseconds. */
export interface UserRecord {
  readonly userId: number;
  readonly accountId: number;
  readonly email: string | null;
  /** The issuer that vouches for the person, and the person's name there; both null for a person with a key of ours. */
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
  /** Beginning of the e-mail, in any case. */
  readonly email?: string | undefined;
  readonly suspended?: boolean | undefined;
}

/** Users in the order of their ids. */
export async function listUsers(
  database: Database,
  { filter, limit, cursor }: { filter: UserFilter; limit: number; cursor: string | null },
): Promise<Page<UserRecord>> {
  const { rows } = await selectUsers({ filter, limit, cursor }).execute(database.reads).catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ userId }) => encodeCursor([userId]));
}

/** Exported for the test that checks the query plan. */
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
    ...(email === undefined ? [] : [sql`starts_with(u.email, ${email.normalize('NFC').toLowerCase()})`]),
    ...(suspended === undefined ? [] : [suspended ? sql`a.suspended_at is not null` : sql`a.suspended_at is null`]),
    ...(cursor === null ? [] : [sql`u.id > ${decodeCursor(cursor, ['number'])[0]}`]),
  ];
  return sql<UserRow>`${selectUser}
    where ${sql.join(conditions, sql` and `)} order by u.id limit ${limit + 1}`;
}

/** @throws AppError not_found. */
export async function getUser(on: Sql, userId: number): Promise<UserRecord> {
  const user = await first(sql<UserRow>`${selectUser} where u.id = ${userId}`, on);
  if (user === null) throw new AppError('not_found');
  return user;
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
  const { rows } = await sql<RowOf<typeof entryColumns> & { allowanceDelta: number; period: string }>`
    select ${entryColumns}, -e.spent_allowance_delta::float8 as "allowanceDelta", p.label as period
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
});
const accountColumns = columnsOf(Account, 'a', {
  accountId: 'id',
  timeZone: 'timeZone',
  suspendedAt: 'suspendedAt',
});
type UserRow = RowOf<typeof personColumns> & RowOf<typeof accountColumns>;
const selectUser = sql`
  select ${personColumns}, ${accountColumns} from users u join accounts a on a.user_id = u.id`;
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
