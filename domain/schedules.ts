import { alertLevelOf, isAtLeast, type AlertLevel } from './alerts.ts';
import type { Balance } from './balance.ts';
import type { Instant } from './period.ts';

/**
 * The schedules an account may have: the monthly reset of its allowance, and the hourly check while it is at 90 % or
 * more.
 */
export const SCHEDULE_KINDS = ['reset', 'alert'] as const;
export type ScheduleKind = (typeof SCHEDULE_KINDS)[number];

/**
 * The schedules that an account's open period needs, or that PostgreSQL remembers as armed for it. `alert` is the
 * level, because a rise of the level is checked at once and not at the next full hour. A new period remembers nothing,
 * so that each period arms its own.
 */
export interface Schedules {
  readonly reset: boolean;
  readonly alert: AlertLevel | null;
}

/** A period in which nothing was used has nothing to reset, and below 90 % there is nothing to alert. */
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
 * What is remembered once `kinds` have been armed for what was `wanted` then. A schedule that is needed no longer is
 * forgotten: its own run finds nothing to do and deletes it, or already has.
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

/** The part of an account that its schedules depend on. */
export interface ScheduledAccount {
  readonly userId: number;
  /** IANA zone of the owner. Resets fire at 04:05 on that wall clock. */
  readonly timeZone: string;
  /** End of the period for which checks are armed. */
  readonly periodEndsAt: Instant;
}

/**
 * When a schedule fires, as text that is equal exactly when the timings are. `schedules check` compares and shows it.
 */
export function timingOf(kind: ScheduleKind, account: ScheduledAccount): string {
  return TIMINGS[kind](account);
}

/**
 * 04:05, because no zone has a gap or a repeat of daylight saving between 04 and 20 o'clock. Five zones have one at
 * midnight.
 */
export const RESET_AT = { dayOfMonth: 1, hour: 4, minute: 5 } as const;

export const TIMINGS = {
  reset: ({ timeZone }) => `monthly on day ${RESET_AT.dayOfMonth} at 04:05 ${timeZone}`,
  alert: ({ userId, periodEndsAt }) =>
    `hourly at +${spreadSeconds(userId)} s until ${new Date(periodEndsAt).toISOString()}`,
} as const satisfies Record<ScheduleKind, (account: ScheduledAccount) => string>;

/**
 * 0 to 3,599. It spreads the accounts' checks over the hour, and is always the same for an account (FNV-1a of its id).
 */
export function spreadSeconds(userId: number): number {
  let hash = 0x811c9dc5;
  for (const character of String(userId)) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return hash % 3_600;
}

/** A schedule that is armed, as the planner reports it. */
export interface PlannedSchedule {
  readonly kind: ScheduleKind;
  readonly userId: number;
  /** Equal to `timingOf` when it is one of our schedules, unchanged. */
  readonly timing: string;
  /** Null when it will never fire again. */
  readonly nextAt: Instant | null;
}

/** The planner will never accept this schedule, so asking again is useless. */
export class ScheduleRefused extends Error {
  override readonly name = 'ScheduleRefused';
}

/**
 * Arms and disarms what fires for an account. One implementation has Temporal schedules for each user. Past some 50,000
 * of them (the server starts about 30 workflows a second) the other is worth it: one schedule a time zone, which fans
 * out over pages of accounts.
 */
export interface Planner {
  /**
   * Creates the schedule, or changes the existing one to the wanted timing. A check also runs at once.
   * @throws ScheduleRefused.
   */
  arm(kind: ScheduleKind, account: ScheduledAccount): Promise<void>;
  /** Does nothing when there is no such schedule. */
  disarm(kind: ScheduleKind, userId: number): Promise<void>;
  find(kind: ScheduleKind, userId: number): Promise<PlannedSchedule | null>;
  /**
   * All schedules of users, in no order. One that was armed or disarmed a moment ago may be missing or still listed.
   */
  list(): AsyncIterable<PlannedSchedule>;
}
