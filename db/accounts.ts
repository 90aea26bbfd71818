import { sql, type RawBuilder } from 'kysely';
import { openBalance, type Balance } from '../domain/balance.ts';
import { dayOf, nextPeriod, type Instant, type Period } from '../domain/period.ts';
import { first, one, type Sql, type Tx } from './database.ts';
import { openPeriod } from './ledger.ts';

/** An account as its lock holder sees it: nobody else can book, hold or roll over until the transaction ends. */
export interface LockedAccount {
  readonly accountId: number;
  readonly periodId: number;
  readonly period: Period;
  readonly balance: Balance;
  readonly timeZone: string;
  /** Day on the account's wall clock, `YYYY-MM-DD`: where what is booked now shows in its history. */
  readonly today: string;
}

/**
 * Locks the account and opens its current period if nobody has yet: correctness never waits for a schedule (G16, G19).
 * @throws when there is no such account, which is a broken invariant here.
 */
export async function lockAccount(tx: Tx, { accountId, now }: { accountId: number; now: Instant }): Promise<LockedAccount> {
  await one(sql`select 1 from accounts where id = ${accountId} for no key update`, tx);
  return readLockedAccount(tx, { accountId, now });
}

/** For whoever has locked the account's row already. A statement after the lock: it must see what the last holder wrote. */
export async function readLockedAccount(tx: Tx, { accountId, now }: { accountId: number; now: Instant }): Promise<LockedAccount> {
  const stored = await one(selectAccount(accountId), tx);
  const clock = { timeZone: stored.timeZone, today: dayOf(now, stored.timeZone) };
  const last = periodOf(stored);
  const balance = balanceOf(stored);
  if (last !== null && balance !== null && stored.periodId !== null && now < last.endsAt) {
    return { accountId, periodId: stored.periodId, period: last, balance, ...clock };
  }
  const period = nextPeriod(last, now, stored.timeZone);
  const opened = openBalance(balance ?? { ...EMPTY, purchased: stored.purchased, debt: stored.debt }, stored.monthlyAllowance);
  const periodId = await openPeriod(tx, { accountId, period, allowance: stored.monthlyAllowance });
  return { accountId, periodId, period, balance: opened, ...clock };
}

/**
 * The account's open period and balance without a lock, with the one row of `beside` in the same statement: one snapshot.
 * @returns null when its period has to be opened first.
 */
export async function readAccount<Beside>(
  on: Sql, { accountId, now, beside }: { accountId: number; now: Instant; beside: RawBuilder<Beside> },
): Promise<(LockedAccount & Beside) | null> {
  const stored = await first(sql<StoredAccount & Beside>`select * from (${selectAccount(accountId)}) account cross join (${beside}) beside`, on);
  if (stored === null) return null;
  const period = periodOf(stored);
  const balance = balanceOf(stored);
  if (period === null || balance === null || stored.periodId === null || now >= period.endsAt) return null;
  return { ...stored, accountId, periodId: stored.periodId, period, balance, today: dayOf(now, stored.timeZone) };
}

interface StoredAccount {
  timeZone: string;
  monthlyAllowance: number;
  purchased: number;
  debt: number;
  periodId: number | null;
  label: string | null;
  startsAt: number | null;
  endsAt: number | null;
  allowance: number | null;
  used: number | null;
  spentPurchased: number | null;
  spentAllowance: number | null;
  overage: number | null;
}

// float8 is exact for integers below 2^53, which the domains of all counters guarantee; the driver reads it as a number.
function selectAccount(accountId: number) {
  return sql<StoredAccount>`
    select a.time_zone as "timeZone", a.monthly_allowance_tokens::float8 as "monthlyAllowance",
      a.purchased_tokens::float8 as purchased, a.debt_tokens::float8 as debt,
      p.id::float8 as "periodId", p.label, (extract(epoch from p.starts_at) * 1000)::float8 as "startsAt", (extract(epoch from p.ends_at) * 1000)::float8 as "endsAt",
      p.allowance_tokens::float8 as allowance, p.used_tokens::float8 as used, p.spent_purchased_tokens::float8 as "spentPurchased",
      p.spent_allowance_tokens::float8 as "spentAllowance", p.overage_tokens::float8 as overage
    from accounts a
    left join lateral (select * from periods where account_id = a.id order by ends_at desc limit 1) p on true
    where a.id = ${accountId}`;
}

function periodOf({ label, startsAt, endsAt }: StoredAccount): Period | null {
  return label === null || startsAt === null || endsAt === null ? null : { label, startsAt, endsAt };
}

function balanceOf(stored: StoredAccount): Balance | null {
  const { allowance, used, spentPurchased, spentAllowance, overage } = stored;
  if (allowance === null || used === null || spentPurchased === null || spentAllowance === null || overage === null) return null;
  return { allowance, purchased: stored.purchased, debt: stored.debt, spentPurchased, spentAllowance, overage, used };
}

const EMPTY: Balance = { allowance: 0, purchased: 0, debt: 0, spentPurchased: 0, spentAllowance: 0, overage: 0, used: 0 };
