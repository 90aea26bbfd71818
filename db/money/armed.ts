import { sql } from 'kysely';
import { neededSchedules, rememberArmed, type ScheduleKind, type Schedules } from '../../domain/schedules.ts';
import type { Tx } from '../database.ts';
import { lockAccount } from './accounts.ts';
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
