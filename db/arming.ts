import { sql } from 'kysely';
import {
  neededSchedules,
  rememberArmed,
  ScheduleRefused,
  schedulesToArm,
  type Planner,
  type ScheduleKind,
  type ScheduledAccount,
  type Schedules,
} from '../domain/schedules.ts';
import type { Instant } from '../domain/period.ts';
import { lockAccount, type LockedAccount } from './accounts.ts';
import type { Database, Tx } from './database.ts';

/**
 * PostgreSQL says what has to be armed and remembers what is; the planner arms it. Nothing is held locked while
 * Temporal is asked.
 */
export interface Arming {
  readonly database: Database;
  readonly planner: Planner;
}

/**
 * Arms what the account's open period needs and has not. Harmless when repeated, and when several do it at once.
 * @param request.again these as well when they are needed, although they are remembered to be armed.
 * @returns what was armed. @throws what kept one from being armed, after the others have been: what may pass before a
 *   ScheduleRefused.
 */
export async function armSchedules(
  { database, planner }: Arming,
  { accountId, now, again = [] }: { accountId: number; now: Instant; again?: readonly ScheduleKind[] },
): Promise<ScheduleKind[]> {
  const before = await database.transaction((tx) => lockAccount(tx, { accountId, now }));
  const wanted = neededSchedules(before.balance);
  const kinds = [...new Set([...schedulesToArm(wanted, before.armed), ...again.filter((kind) => wanted[kind])])];
  if (kinds.length === 0) return [];
  const armed: ScheduleKind[] = [];
  const failures: unknown[] = [];
  for (const kind of kinds)
    await planner.arm(kind, scheduledAccountOf(before)).then(
      () => armed.push(kind),
      (error: unknown) => failures.push(error),
    );
  const isStillSo = await database.transaction((tx) => remember(tx, before, { kinds: armed, wanted, now }));
  // A zone changed or a period begun meanwhile has perhaps been armed already, and then overwritten here: once more, as
  // it is now.
  if (!isStillSo) return armSchedules({ database, planner }, { accountId, now, again: kinds });
  if (failures.length > 0) throw failures.find((error) => !(error instanceof ScheduleRefused)) ?? failures[0];
  return armed;
}

/**
 * Disarms a schedule that was found needless under the account's lock, which forgot it there. A debit that made it
 * needful meanwhile may have armed the very schedule that is deleted here; so the account is read again, and armed
 * again if needed.
 */
export async function disarmSchedule(
  arming: Arming,
  kind: ScheduleKind,
  { accountId, userId, now }: { accountId: number; userId: number; now: Instant },
): Promise<ScheduleKind[]> {
  await arming.planner.disarm(kind, userId);
  await arming.database.transaction(async (tx) => forgetNeedless(tx, await lockAccount(tx, { accountId, now })));
  return armSchedules(arming, { accountId, now, again: [kind] });
}

/**
 * What is needed no longer counts as armed no longer: the next debit that needs it arms it anew. Under the account's
 * lock.
 */
export async function forgetNeedless(tx: Tx, account: LockedAccount): Promise<void> {
  await write(
    tx,
    account,
    rememberArmed([], { wanted: account.armed, needed: neededSchedules(account.balance), armed: account.armed }),
  );
}

/** Nothing counts as armed for the reset any more: it has to move to another zone. Under the account's lock. */
export async function forgetReset(tx: Tx, account: LockedAccount): Promise<void> {
  await write(tx, account, { ...account.armed, reset: false });
}

export function scheduledAccountOf({
  userId,
  timeZone,
  period,
}: Pick<LockedAccount, 'userId' | 'timeZone' | 'period'>): ScheduledAccount {
  return { userId, timeZone, periodEndsAt: period.endsAt };
}

async function remember(
  tx: Tx,
  before: LockedAccount,
  { kinds, wanted, now }: { kinds: readonly ScheduleKind[]; wanted: Schedules; now: Instant },
): Promise<boolean> {
  const account = await lockAccount(tx, { accountId: before.accountId, now });
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
