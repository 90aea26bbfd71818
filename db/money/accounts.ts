import { sql, type RawBuilder } from 'kysely';
import { openBalance, type Balance } from '../../domain/balance.ts';
import { dayOf, nextPeriod, type Instant, type Period } from '../../domain/period.ts';
import { columnsOf, type Nullable, type RowOf } from '../columns.ts';
import { first, instantOf, one, type Sql, type Tx } from '../database.ts';
import { Account, Period as PeriodEntity } from '../entities/account.ts';
import { openPeriod } from './ledger.ts';
import type { LockedAccount } from './locked-account.ts';

/**
 * Locks the account and opens its current period if nobody has yet, so that correctness never waits for a schedule
 * (G16, G19).
 * @throws when there is no such account, which is a broken invariant here.
 */
export async function lockAccount(tx: Tx, accountId: number): Promise<LockedAccount> {
  await lockAccountRow(tx, accountId);
  return openAccount(tx, await readLockedAccount(tx, accountId));
}

/** Only locks. What is needed before the next period is opened is read afterwards. */
export async function lockAccountRow(tx: Tx, accountId: number): Promise<void> {
  await one(sql`select 1 from accounts where id = ${accountId} for no key update`, tx);
}

/**
 * Reads an account whose row the caller has locked, with its newest period, which may be over. It is a statement of its
 * own after the lock, so that it sees what the lock's last holder wrote, and the time after the wait.
 */
export function readLockedAccount(tx: Tx, accountId: number): Promise<StoredAccount> {
  return one(selectAccount(tx, sql`a.id = ${accountId}`), tx);
}

/**
 * Finds who pays for a turn, as stored, with the one row of `beside`, which gets the payer's id. It may be sent right
 * behind the lock, in the same packet, so that nobody has to know the account first. @returns null when there is no
 * such turn.
 */
export function findPayer<Beside>(
  tx: Tx,
  { turnId, beside }: { turnId: string; beside: (accountId: RawBuilder<unknown>) => RawBuilder<Beside> },
): Promise<(StoredAccount & Beside) | null> {
  const payer = selectAccount(tx, sql`a.id = (select account_id from turns where id = ${turnId})`);
  // The id becomes a bigint again: compared as the float8 that the driver reads, it would match no index.
  return first(
    sql<
      StoredAccount & Beside
    >`select * from (${payer}) payer cross join lateral (${beside(sql`payer."accountId"::bigint`)}) beside`,
    tx,
  );
}

/** Opens the account's current period unless somebody has. The caller holds the account's lock. */
export async function openAccount(tx: Tx, stored: StoredAccount): Promise<LockedAccount> {
  const open = openAccountOf(stored);
  if (open !== null) return open;
  const { accountId } = stored;
  const balance = balanceOf(stored);
  const period = nextPeriod(periodOf(stored), stored.now, stored.timeZone);
  const opened = openBalance(
    balance ?? { ...EMPTY, purchased: stored.purchased, debt: stored.debt },
    stored.monthlyAllowance,
  );
  const periodId = await openPeriod(tx, { accountId, period, allowance: stored.monthlyAllowance });
  return {
    accountId,
    ...clockOf(stored),
    periodId,
    period,
    balance: opened,
    armed: { reset: false, alert: null },
  };
}

/**
 * Reads the account's open period and balance without a lock. The one row of `beside` is read in the same statement, so
 * both are one snapshot.
 * @returns null when its period has to be opened first.
 */
export async function readAccount<Beside>(
  on: Sql,
  { accountId, beside }: { accountId: number; beside: RawBuilder<Beside> },
): Promise<(LockedAccount & Beside) | null> {
  const stored = await first(
    sql<
      StoredAccount & Beside
    >`select * from (${selectAccount(on, sql`a.id = ${accountId}`)}) account cross join (${beside}) beside`,
    on,
  );
  if (stored === null) return null;
  const open = openAccountOf(stored);
  return open === null ? null : { ...stored, ...open };
}

/**
 * A page of the accounts that were used in the period open now, in the order of their ids, after the id `after`.
 */
export async function readOpenAccounts(
  on: Sql,
  { after, limit }: { after: number; limit: number },
): Promise<LockedAccount[]> {
  const { rows } = await sql<StoredAccount>`select ${payerColumns}, ${periodColumns}, ${instantOf(on)} as now
    from accounts a join periods p on p.account_id = a.id
    where a.id > ${after} and p.ends_at > ${on.clock()} and (p.used_tokens > 0 or p.reset_armed or p.alert_armed is not null)
    order by a.id limit ${limit}`.execute(on);
  return rows.flatMap((stored) => openAccountOf(stored) ?? []);
}

const payerColumns = columnsOf(Account, 'a', {
  accountId: 'id',
  userId: 'userId',
  timeZone: 'timeZone',
  monthlyAllowance: 'monthlyAllowanceTokens',
  purchased: 'purchasedTokens',
  debt: 'debtTokens',
});
const periodColumns = columnsOf(PeriodEntity, 'p', {
  periodId: 'id',
  label: 'label',
  startsAt: 'startsAt',
  endsAt: 'endsAt',
  allowance: 'allowanceTokens',
  used: 'usedTokens',
  spentPurchased: 'spentPurchasedTokens',
  spentAllowance: 'spentAllowanceTokens',
  overage: 'overageTokens',
  resetArmed: 'resetArmed',
  alertArmed: 'alertArmed',
});

/** An account and its newest period as they were at `now`, which decides whether the period is over. */
export type StoredAccount = RowOf<typeof payerColumns> &
  Nullable<RowOf<typeof periodColumns>> & { readonly now: Instant };

function selectAccount(on: Sql, which: RawBuilder<unknown>) {
  return sql<StoredAccount>`
    select ${payerColumns}, ${periodColumns}, ${instantOf(on)} as now
    from accounts a
    left join lateral (select * from periods where account_id = a.id order by ends_at desc limit 1) p on true
    where ${which}`;
}

/** @returns null when the account's period is over, or it never had one. */
function openAccountOf(stored: StoredAccount): LockedAccount | null {
  const { accountId, periodId, resetArmed, alertArmed, now } = stored;
  const period = periodOf(stored);
  const balance = balanceOf(stored);
  if (period === null || balance === null || periodId === null || now >= period.endsAt) return null;
  return {
    accountId,
    ...clockOf(stored),
    periodId,
    period,
    balance,
    armed: { reset: resetArmed ?? false, alert: alertArmed },
  };
}

function clockOf({
  userId,
  timeZone,
  now,
}: StoredAccount): Pick<LockedAccount, 'userId' | 'timeZone' | 'now' | 'today'> {
  return { userId, timeZone, now, today: dayOf(now, timeZone) };
}

export function periodOf({ label, startsAt, endsAt }: StoredAccount): Period | null {
  return label === null || startsAt === null || endsAt === null ? null : { label, startsAt, endsAt };
}

function balanceOf(stored: StoredAccount): Balance | null {
  const { allowance, used, spentPurchased, spentAllowance, overage } = stored;
  if (allowance === null || used === null || spentPurchased === null || spentAllowance === null || overage === null)
    return null;
  return { allowance, purchased: stored.purchased, debt: stored.debt, spentPurchased, spentAllowance, overage, used };
}

const EMPTY: Balance = {
  allowance: 0,
  purchased: 0,
  debt: 0,
  spentPurchased: 0,
  spentAllowance: 0,
  overage: 0,
  used: 0,
};

export async function findAccount(on: Sql, userId: number): Promise<{ accountId: number } | null> {
  return first(
    sql<{
      accountId: number;
    }>`select ${columnsOf(Account, 'a', { accountId: 'id' })} from accounts a where user_id = ${userId}`,
    on,
  );
}
