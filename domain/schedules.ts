import { alertLevelOf, isAtLeast, type AlertLevel } from './alerts.ts';
import type { Balance } from './balance.ts';
import type { Instant } from './period.ts';

/**
 * What an account may have scheduled: the monthly reset of its allowance, and the hourly check while it is at 90 % or
 * more.
 */
export const SCHEDULE_KINDS = ['reset', 'alert'] as const;
export type ScheduleKind = (typeof SCHEDULE_KINDS)[number];

/**
 * What an account's open period needs, or what PostgreSQL remembers to be armed for it. `alert` is the level: a check
 * is owed at once when the level rises, not at the next full hour. A new period remembers nothing, so each arms its
 * own.
 */
export interface Schedules {
  readonly reset: boolean;
  readonly alert: AlertLevel | null;
}

/** A period in which nothing was used has nothing to reset, and only 90 % or more has anything to say. */
export function neededSchedules(balance: Balance): Schedules {
  return { reset: balance.used > 0, alert: alertLevelOf(balance) };
}

export function schedulesToArm(needed: Schedules, armed: Schedules): ScheduleKind[] {
  return SCHEDULE_KINDS.filter((kind) => LACKS[kind](needed, armed));
}

const LACKS = {
  reset: (needed, armed) => needed.reset && !armed.reset,
  alert: (needed, armed) => needed.alert !== null && !isAtLeast(armed.alert, needed.alert),
} as const satisfies Record<ScheduleKind, (needed: Schedules, armed: Schedules) => boolean>;

/**
 * What is remembered once `kinds` have been armed for what was `wanted` then. What is needed no longer is forgotten:
 * the schedule's own run will find nothing to do and delete it, perhaps has already.
 */
export function rememberArmed(
  kinds: readonly ScheduleKind[],
  { wanted, needed, armed }: { wanted: Schedules; needed: Schedules; armed: Schedules },
): Schedules {
  const alert = kinds.includes('alert') && !isAtLeast(armed.alert, wanted.alert) ? wanted.alert : armed.alert;
  return {
    reset: needed.reset && (armed.reset || kinds.includes('reset')),
    alert: needed.alert === null ? null : alert,
  };
}

/** The account as its schedules see it. */
export interface ScheduledAccount {
  readonly userId: number;
  /** IANA zone of its owner: resets come at 04:05 on that wall clock. */
  readonly timeZone: string;
  /** End of the period for which checks are armed. */
  readonly periodEndsAt: Instant;
}

/** When a schedule fires, in words that are equal when the schedules are: what `schedules check` compares and shows. */
export function timingOf(kind: ScheduleKind, account: ScheduledAccount): string {
  return TIMINGS[kind](account);
}

/** 04:05: no zone has a gap or a repeat of daylight saving between 04 and 20 o'clock; at midnight five have. */
export const RESET_AT = { dayOfMonth: 1, hour: 4, minute: 5 } as const;

export const TIMINGS = {
  reset: ({ timeZone }) => `monthly on day ${RESET_AT.dayOfMonth} at 04:05 ${timeZone}`,
  alert: ({ userId, periodEndsAt }) =>
    `hourly at +${spreadSeconds(userId)} s until ${new Date(periodEndsAt).toISOString()}`,
} as const satisfies Record<ScheduleKind, (account: ScheduledAccount) => string>;

/** 0 to 3,599: spreads the accounts' checks over the hour, the same for an account each time (FNV-1a of its id). */
export function spreadSeconds(userId: number): number {
  let hash = 0x811c9dc5;
  for (const character of String(userId)) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return hash % 3_600;
}

/** A schedule that is armed, as the engine tells it. */
export interface PlannedSchedule {
  readonly kind: ScheduleKind;
  readonly userId: number;
  /** As `timingOf`, when it is one of ours unchanged. */
  readonly timing: string;
  /** Null: it will never fire again. */
  readonly nextAt: Instant | null;
}

/** The engine will never take this schedule: to ask again is of no use. */
export class ScheduleRefused extends Error {
  override readonly name = 'ScheduleRefused';
}

/**
 * Arms and disarms what fires for an account. Temporal schedules a user are the one implementation; past some 50,000 of
 * them (the server starts about 30 workflows a second), one schedule a time zone that fans out over pages of accounts
 * would be the second.
 */
export interface Planner {
  /**
   * Makes it, or brings the one that is there to the wanted timing; a check also runs at once.
   * @throws ScheduleRefused.
   */
  arm(kind: ScheduleKind, account: ScheduledAccount): Promise<void>;
  /** No-op when there is none. */
  disarm(kind: ScheduleKind, userId: number): Promise<void>;
  find(kind: ScheduleKind, userId: number): Promise<PlannedSchedule | null>;
  /** All of them, in no order; what was armed or disarmed a moment ago may be missing or still there. */
  list(): AsyncIterable<PlannedSchedule>;
}
