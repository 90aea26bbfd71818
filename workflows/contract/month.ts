import type { AlertLevel } from '../../domain/alerts.ts';
import type { ResetOutcome } from '../../domain/reset.ts';
import type { ScheduleKind } from '../../domain/schedules.ts';

/** The activities of a user's account over the month. */
export interface MonthActivities {
  /** Arms the schedules that the account needs and does not have. Does nothing when they are armed already. */
  armSchedules(input: { userId: number }): Promise<{ armed: readonly ScheduleKind[] }>;
  /** @param input.firedFor the nominal time of the firing, milliseconds. */
  resetAllowance(input: { userId: number; firedFor: number }): Promise<ResetReport>;
  checkUsage(input: { userId: number }): Promise<AlertReport>;
  repairSchedules(): Promise<ScheduleReport>;
}

/** What a firing of `allowance-reset/{userId}` did. Admins read it in the Temporal UI. */
export interface ResetReport {
  readonly outcome: ResetOutcome | 'no_such_user';
  /** The open period, and the tokens used in the one before. Absent where the firing did not look. */
  readonly period?: string;
  readonly closedUsedTokens?: number;
  /**
   * The schedule was deleted because nothing was used for a whole period. It is armed again when the account is used.
   */
  readonly disarmed: boolean;
}

/** What a firing of `usage-alert/{userId}` did. */
export interface AlertReport {
  /**
   * - `sent`: a notification was sent.
   * - `sent_before`: one was sent less than 24 hours ago.
   * - `below`: the account is under 90 %, perhaps because a new period has begun.
   */
  readonly outcome: 'sent' | 'sent_before' | 'below' | 'no_such_user';
  readonly level?: AlertLevel;
  readonly usagePercent?: number;
  readonly notificationId?: number;
  /** The schedule was deleted because there is nothing to watch, until the account is at 90 % again. */
  readonly disarmed: boolean;
}

/**
 * What a comparison of schedules and accounts found, by kind of difference. `mended` of them were put right.
 * `closedLate` months were closed that no firing had closed.
 */
export interface ScheduleReport {
  readonly accounts: number;
  readonly schedules: number;
  readonly missing: number;
  readonly mistimed: number;
  readonly needless: number;
  readonly unrecorded: number;
  readonly mended: number;
  readonly closedLate?: number;
}

export interface AdminStatsActivities {
  /** Computes the admins' statistics and caches them. */
  refreshAdminStats(): Promise<AdminStatsReport>;
}

/** Figures only, because Temporal keeps them: the top users stay with PostgreSQL, Redis and the admins. */
export interface AdminStatsReport {
  readonly totalUsers: number;
  readonly activeUsers: number;
  readonly totalUsedTokens: number;
  readonly totalPurchasedTokens: number;
  readonly averageUsedTokens: number;
  readonly under50: number;
  readonly under80: number;
  readonly under90: number;
  readonly under95: number;
  readonly over95: number;
  /** ISO 8601 */
  readonly asOf: string;
  /** False when Redis did not take the statistics. Whoever asks next then computes them. */
  readonly cached: boolean;
}
