import type { Database } from '../db/database.ts';
import { lockAccount } from '../db/money/accounts.ts';
import { forgetNeedless, remember } from '../db/money/armed.ts';
import type { LockedAccount } from '../db/money/locked-account.ts';
import {
  neededSchedules,
  ScheduleRefused,
  schedulesToArm,
  type Planner,
  type ScheduledAccount,
  type ScheduleKind,
} from '../domain/schedules.ts';

/**
 * PostgreSQL says what has to be armed and remembers what is; the planner arms it. No lock is held while Temporal is
 * asked.
 */
export interface ArmingDeps {
  readonly database: Database;
  readonly planner: Planner;
}

/**
 * Arms the schedules that the account's open period needs and does not have. It may be repeated, and called by several
 * at once.
 * @param request.again kinds to arm again where they are needed, although they are remembered as armed.
 * @returns what was armed.
 * @throws the error that kept a kind from being armed, after the others have been armed. An error that may pass comes
 *   before a ScheduleRefused.
 */
export async function armSchedules(
  { database, planner }: { readonly database: Database; readonly planner: Pick<Planner, 'arm'> },
  { accountId, again = [] }: { accountId: number; again?: readonly ScheduleKind[] },
): Promise<ScheduleKind[]> {
  const before = await database.locking({ accountId }, (tx) => lockAccount(tx, accountId));
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
  const isStillSo = await database.locking({ accountId }, (tx) => remember(tx, before, { kinds: armed, wanted }));
  // The zone or the period has changed meanwhile. Somebody may have armed the new one already, and this call has
  // overwritten it, so it is armed once more as it is now.
  if (!isStillSo) return armSchedules({ database, planner }, { accountId, again: kinds });
  if (failures.length > 0) throw failures.find((error) => !(error instanceof ScheduleRefused)) ?? failures[0];
  return armed;
}

/**
 * Disarms a schedule that was found needless under the account's lock and was forgotten there. A debit that needed it
 * meanwhile may have armed the very schedule that is deleted here. So the account is read again, and armed again if
 * needed.
 */
export async function disarmSchedule(
  deps: ArmingDeps,
  kind: ScheduleKind,
  { accountId, userId }: { accountId: number; userId: number },
): Promise<ScheduleKind[]> {
  await deps.planner.disarm(kind, userId);
  await deps.database.locking({ accountId }, async (tx) => forgetNeedless(tx, await lockAccount(tx, accountId)));
  return armSchedules(deps, { accountId, again: [kind] });
}

export function scheduledAccountOf({
  userId,
  timeZone,
  period,
}: Pick<LockedAccount, 'userId' | 'timeZone' | 'period'>): ScheduledAccount {
  return { userId, timeZone, periodEndsAt: period.endsAt };
}
