import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../db/database.ts';
import { findAccount, lockAccount, readOpenAccounts } from '../db/money/accounts.ts';
import type { LockedAccount } from '../db/money/locked-account.ts';
import { findUserIds } from '../db/people/users.ts';
import {
  neededSchedules,
  SCHEDULE_KINDS,
  schedulesToArm,
  timingOf,
  type PlannedSchedule,
  type ScheduleKind,
} from '../domain/schedules.ts';
import { armSchedules, disarmSchedule, scheduledAccountOf, type ArmingDeps } from './arm-schedules.ts';

/**
 * - `missing`: needed and not there.
 * - `mistimed`: there, but with another zone, hour or end than it should have.
 * - `needless`: its user is gone, or it is not needed and never fires again, so that it cannot delete itself.
 * - `unrecorded`: there, but not remembered as armed.
 */
export type ScheduleFault = 'missing' | 'mistimed' | 'needless' | 'unrecorded';

export interface ScheduleDifference {
  readonly kind: ScheduleKind;
  readonly userId: number;
  readonly fault: ScheduleFault;
  /** The timing that it should have, and the timing that it has; null: there should be none, or there is none. */
  readonly wanted: string | null;
  readonly found: string | null;
}

export interface Comparison {
  /** Accounts that were used in their open period, and the schedules of users. */
  readonly accounts: number;
  readonly schedules: number;
  readonly differences: readonly ScheduleDifference[];
}

/** Called after each page of accounts and each schedule. */
export type OnProgress = (done: { readonly accounts: number; readonly differences: number }) => void;

const ACCOUNTS_AT_A_TIME = 1_000;
/** A schedule is armed some milliseconds after the write that needs it, and listed some milliseconds later still. */
const SECOND_LOOK_MS = 1_000;

/**
 * Compares what is armed with what the accounts need. The list of schedules is eventually consistent, and both sides
 * change meanwhile. So each suspect is looked at once more by itself before it is called a difference.
 */
export async function compareSchedules(
  deps: ArmingDeps,
  { onProgress = () => {} }: { onProgress?: OnProgress } = {},
): Promise<Comparison> {
  const listed = new Map<string, PlannedSchedule>();
  for await (const schedule of deps.planner.list()) listed.set(keyOf(schedule), schedule);
  const schedules = listed.size;
  const suspects: Subject[] = [];
  let accounts = 0;
  for await (const page of openAccounts(deps.database.sql)) {
    accounts += page.length;
    for (const account of page) {
      for (const subject of SCHEDULE_KINDS.map((kind) => ({ kind, userId: account.userId }))) {
        if (judge(subject, account, listed.get(keyOf(subject)) ?? null) !== null) suspects.push(subject);
        listed.delete(keyOf(subject));
      }
    }
    onProgress({ accounts, differences: suspects.length });
  }
  const known = await findUserIds(
    deps.database.sql,
    [...listed.values()].map(({ userId }) => userId),
  );
  suspects.push(...[...listed.values()].filter(({ userId, nextAt }) => nextAt === null || !known.has(userId)));
  return { accounts, schedules, differences: await lookAgain(deps, suspects, { onProgress, accounts }) };
}

/** @returns how many differences were put right. @throws one error for all that could not be mended, at the end. */
export async function mendSchedules(
  deps: ArmingDeps,
  differences: readonly ScheduleDifference[],
  { onProgress = () => {} }: { onProgress?: OnProgress } = {},
): Promise<number> {
  let mended = 0;
  const failures: unknown[] = [];
  for (const difference of differences) {
    await mend(deps, difference).then(
      () => {
        mended++;
      },
      (error: unknown) => failures.push(error),
    );
    onProgress({ accounts: 0, differences: mended });
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} of ${differences.length} schedules could not be mended`);
  return mended;
}

/**
 * Writes every schedule of users anew, with its timing as it should be: what it starts its workflow with is encrypted
 * by the key of today then.
 * @returns how many were written. Those whose user is gone are deleted.
 */
export async function rearmSchedules(
  { database, planner }: ArmingDeps,
  { onProgress = () => {} }: { onProgress?: (written: number) => void } = {},
): Promise<number> {
  let written = 0;
  for await (const { kind, userId } of planner.list()) {
    const owner = await findAccount(database.sql, userId);
    if (owner === null) {
      await planner.disarm(kind, userId);
      continue;
    }
    const account = await database.locking(owner, (tx) => lockAccount(tx, owner.accountId));
    await planner.arm(kind, scheduledAccountOf(account));
    onProgress((written += 1));
  }
  return written;
}

async function mend(deps: ArmingDeps, { kind, userId, fault }: ScheduleDifference): Promise<void> {
  const account = await findAccount(deps.database.sql, userId);
  if (account === null) await deps.planner.disarm(kind, userId);
  else if (fault === 'needless') await disarmSchedule(deps, kind, { ...account, userId });
  else await armSchedules(deps, { ...account, again: [kind] });
}

interface Subject {
  readonly kind: ScheduleKind;
  readonly userId: number;
}

async function lookAgain(
  { database, planner }: ArmingDeps,
  suspects: readonly Subject[],
  { onProgress, accounts }: { onProgress: OnProgress; accounts: number },
): Promise<ScheduleDifference[]> {
  if (suspects.length > 0) await sleep(SECOND_LOOK_MS);
  const differences: ScheduleDifference[] = [];
  for (const { kind, userId } of suspects) {
    const owner = await findAccount(database.sql, userId);
    const account = owner === null ? null : await database.locking(owner, (tx) => lockAccount(tx, owner.accountId));
    const found = await planner.find(kind, userId);
    const fault = judge({ kind, userId }, account, found);
    if (fault !== null)
      differences.push({ kind, userId, fault, wanted: wantedTiming(kind, account), found: found?.timing ?? null });
    onProgress({ accounts, differences: differences.length });
  }
  return differences;
}

/** @param account null: the user has none, or one that was never used. */
function judge(
  { kind }: Subject,
  account: Pick<LockedAccount, 'userId' | 'timeZone' | 'period' | 'balance' | 'armed'> | null,
  found: PlannedSchedule | null,
): ScheduleFault | null {
  const wanted = wantedTiming(kind, account);
  if (account === null || wanted === null)
    return found !== null && (account === null || found.nextAt === null) ? 'needless' : null;
  if (found === null) return 'missing';
  if (found.timing !== wanted) return 'mistimed';
  return schedulesToArm(neededSchedules(account.balance), account.armed).includes(kind) ? 'unrecorded' : null;
}

function wantedTiming(kind: ScheduleKind, account: Parameters<typeof judge>[1]): string | null {
  if (account === null) return null;
  return neededSchedules(account.balance)[kind] ? timingOf(kind, scheduledAccountOf(account)) : null;
}

async function* openAccounts(on: Sql) {
  for (let after = 0; ;) {
    const page = await readOpenAccounts(on, { after, limit: ACCOUNTS_AT_A_TIME });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.accountId;
  }
}

function keyOf({ kind, userId }: Subject): string {
  return `${kind}/${userId}`;
}
