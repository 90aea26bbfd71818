import type { AlertLevel } from '../../domain/alerts.ts';
import type { ResetOutcome } from '../../domain/reset.ts';
import type { ScheduleKind } from '../../domain/schedules.ts';

/** A user's account over the month. */
export interface MonthActivities {
  /** Arms what the account needs and has not; nothing when somebody else has done it. */
  armSchedules(input: { userId: number }): Promise<{ armed: readonly ScheduleKind[] }>;
  /** @param input.firedFor the nominal time of the firing, milliseconds. */
  resetAllowance(input: { userId: number; firedFor: number }): Promise<ResetReport>;
  checkUsage(input: { userId: number }): Promise<AlertReport>;
  repairSchedules(): Promise<ScheduleReport>;
}

/** What a firing of `allowance-reset/{userId}` did; an admin reads it in the Temporal UI. */
export interface ResetReport {
  readonly outcome: ResetOutcome | 'no_such_user';
  /** The open period and how much was used in the one before, where the firing looked. */
  readonly period?: string;
  readonly closedUsedTokens?: number;
  /** Nothing was used for a whole period: the schedule was deleted, until the account is used again. */
  readonly disarmed: boolean;
}

/** What a firing of `usage-alert/{userId}` did. */
export interface AlertReport {
  /**
   * `sent`: a notification. `sent_before`: less than 24 hours ago. `below`: under 90 %, also because a new period has
   * begun.
   */
  readonly outcome: 'sent' | 'sent_before' | 'below' | 'no_such_user';
  readonly level?: AlertLevel;
  readonly usagePercent?: number;
  readonly notificationId?: number;
  /** There is nothing to watch any more: the schedule was deleted, until the account is at 90 % again. */
  readonly disarmed: boolean;
}

/** What a comparison of schedules and accounts found, by what was wrong; `mended` of them are right now. */
export interface ScheduleReport {
  readonly accounts: number;
  readonly schedules: number;
  readonly missing: number;
  readonly mistimed: number;
  readonly needless: number;
  readonly unrecorded: number;
  readonly mended: number;
}

export interface AdminStatsActivities {
  /** Computes the admins' statistics and caches them. */
  refreshAdminStats(): Promise<AdminStatsReport>;
}

/** Figures only: the top users stay between PostgreSQL, Redis and the admins. */
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
  /** False when Redis did not take them: then who asks computes them. */
  readonly cached: boolean;
}
