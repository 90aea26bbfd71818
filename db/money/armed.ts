import { sql } from 'kysely';
import { monthBefore, monthOf, type Instant } from '../../domain/period.ts';
import {
  neededSchedules,
  rememberArmed,
  type ScheduledAccount,
  type ScheduleKind,
  type Schedules,
} from '../../domain/schedules.ts';
import type { Sql, Tx } from '../database.ts';
import { lockAccount, readOpenAccounts } from './accounts.ts';
import type { LockedAccount } from './locked-account.ts';

/**
 * Forgets armed schedules that are needed no longer, so that the next debit that needs one arms it anew. The caller
 * holds the account's lock.
 */
export async function forgetNeedless(tx: Tx, account: LockedAccount): Promise<void> {
  await write(
    tx,
    account,
    rememberArmed([], { wanted: account.armed, needed: neededSchedules(account.balance), armed: account.armed }),
  );
}

/** Forgets that the reset is armed, because it has to move to another zone. The caller holds the account's lock. */
export async function forgetReset(tx: Tx, account: LockedAccount): Promise<void> {
  await write(tx, account, { ...account.armed, reset: false });
}

export async function remember(
  tx: Tx,
  before: LockedAccount,
  { kinds, wanted }: { kinds: readonly ScheduleKind[]; wanted: Schedules },
): Promise<boolean> {
  const account = await lockAccount(tx, before.accountId);
  if (account.periodId !== before.periodId || account.timeZone !== before.timeZone) return false;
  await write(
    tx,
    account,
    rememberArmed(kinds, { wanted, needed: neededSchedules(account.balance), armed: account.armed }),
  );
  return true;
}

async function write(tx: Tx, { periodId, armed }: LockedAccount, { reset, alert }: Schedules): Promise<void> {
  if (reset === armed.reset && alert === armed.alert) return;
  await sql`update periods set reset_armed = ${reset}, alert_armed = ${alert} where id = ${periodId}`.execute(tx);
}

/** An account that a firing for many accounts has to fire. */
export interface DueAccount {
  readonly accountId: number;
  readonly userId: number;
}

/**
 * The next accounts that one firing for many is for, in the order of their ids: whose hourly check is armed; or whose
 * reset was armed in the month that ended at `firedFor`, on the clock of `timeZone`.
 */
export async function readDue(
  on: Sql,
  {
    kind,
    timeZone,
    firedFor,
    after,
    limit,
  }: { kind: ScheduleKind; timeZone: string | null; firedFor: Instant; after: number; limit: number },
): Promise<DueAccount[]> {
  const isDue =
    kind === 'alert'
      ? sql`p.alert_armed is not null and p.ends_at > ${on.clock()}`
      : sql`p.reset_armed and p.label = ${monthBefore(monthOf(firedFor, timeZone ?? 'UTC'))}`;
  const { rows } = await sql<DueAccount>`select p.account_id::float8 as "accountId", a.user_id::float8 as "userId"
    from periods p join accounts a on a.id = p.account_id
    where ${isDue} and p.account_id > ${after} and (${timeZone}::text is null or a.time_zone = ${timeZone})
    order by p.account_id limit ${limit}`.execute(on);
  return rows;
}

/** What is armed in the open period of each account, as PostgreSQL remembers it; a page by ids. */
export async function readArmed(
  on: Sql,
  { after, limit }: { after: number; limit: number },
): Promise<(ScheduledAccount & { readonly accountId: number; readonly armed: Schedules })[]> {
  const accounts = await readOpenAccounts(on, { after, limit });
  return accounts.map(({ accountId, userId, timeZone, period, armed }) => ({
    accountId,
    userId,
    timeZone,
    periodEndsAt: period.endsAt,
    armed,
  }));
}
