import type { Comparison } from '../../domain/payments/listed.ts';
import type { ScheduleKind } from '../../domain/schedules.ts';

export const WORKFLOW_TYPES = {
  chatTurn: 'chatTurn',
  reconcile: 'reconcile',
  allowanceReset: 'allowanceReset',
  usageAlert: 'usageAlert',
  repairSchedules: 'repairSchedules',
  adminStats: 'adminStats',
  redriveTurns: 'redriveTurns',
  purchase: 'purchase',
  refund: 'refund',
  deliver: 'deliver',
  paymentsReconcile: 'paymentsReconcile',
  fanOut: 'fanOut',
  dailyReports: 'dailyReports',
  resendDeliveries: 'resendDeliveries',
  autoTopUp: 'autoTopUp',
} as const;

/**
 * A turn has one workflow id for ever: re-sends, retries and replays are runs of it.
 * @param userId the owner. @param turnId a UUID.
 */
export function turnWorkflowId(userId: number, turnId: string): string {
  return `turn/${userId}/${turnId}`;
}

/**
 * @returns the owner of the turn; null for an id that `turnWorkflowId` did not make, such as one typed in the Temporal
 *   UI.
 */
export function ownerOfTurnWorkflow(workflowId: string): number | null {
  const [, userId] = /^turn\/([1-9]\d{0,15})\//.exec(workflowId) ?? [];
  return userId === undefined ? null : Number(userId);
}

export const RECONCILE_SCHEDULE_ID = 'reconcile';

export const REPAIR_SCHEDULES_ID = 'schedules-repair';

export const ADMIN_STATS_SCHEDULE_ID = 'admin-stats';

export const DAILY_REPORTS_ID = 'reports/daily';

export const PAYMENTS_RECONCILE_IDS = {
  hourly: 'payments-reconcile/hourly',
  daily: 'payments-reconcile/daily',
} as const satisfies Record<Comparison, string>;

const SCHEDULE_FOLDERS = { reset: 'allowance-reset', alert: 'usage-alert' } as const satisfies Record<
  ScheduleKind,
  string
>;

/** The id of a user's own schedule. Temporal names the schedule's workflows after it and appends the nominal time. */
export function userScheduleId(kind: ScheduleKind, userId: number): string {
  return `${SCHEDULE_FOLDERS[kind]}/${userId}`;
}

/** The id of the one schedule that fires many accounts: those of a zone, or all that are checked hourly. */
export function fanOutId(kind: ScheduleKind, timeZone: string): string {
  return kind === 'reset' ? `fan-out/reset/${timeZone}` : 'fan-out/alert';
}

/** A redrive has one workflow. It is started again under the same id when Temporal has lost it. */
export function redriveWorkflowId(redriveId: string): string {
  return `redrive/${redriveId}`;
}

/** A purchase has one workflow, which is started again when something is heard of it later. */
export function purchaseWorkflowId(purchaseId: string): string {
  return `purchase/${purchaseId}`;
}

export function refundWorkflowId(refundId: string): string {
  return `refund/${refundId}`;
}

/** An account has one at a time, so that nothing is bought twice at once. The prefix of the queues stands before it. */
export function autoTopUpWorkflowId(accountId: number): string {
  return `auto-top-up/${accountId}`;
}

/** A delivery has one workflow. It is started again when somebody resends it, or Temporal has lost it. */
export function deliveryWorkflowId(deliveryId: string): string {
  return `deliver/${deliveryId}`;
}

/** A resend has one workflow. It is started again under the same id when Temporal has lost it. */
export function resendWorkflowId(resendId: string): string {
  return `resend/${resendId}`;
}

/** @returns null for a schedule that belongs to no user. */
export function parseUserScheduleId(id: string): { kind: ScheduleKind; userId: number } | null {
  const [, folder, digits] = /^(allowance-reset|usage-alert)\/([1-9]\d{0,15})$/.exec(id) ?? [];
  return folder === undefined
    ? null
    : { kind: folder === SCHEDULE_FOLDERS.reset ? 'reset' : 'alert', userId: Number(digits) };
}

export interface TaskQueues {
  readonly turns: string;
  readonly background: string;
  readonly deliveries: string;
}

/**
 * `turns` is for people, `background` for replays, schedules and reconcile, `deliveries` for the calls of servers that
 * may be slow. The prefix keeps test runs and installations apart.
 */
export function taskQueues(prefix: string): TaskQueues {
  return { turns: `${prefix}turns`, background: `${prefix}background`, deliveries: `${prefix}deliveries` };
}

/** The queue of deliveries beside the queue of a workflow. */
export function deliveriesQueueOf(background: string): string {
  return taskQueues(background.replace(/background$/, '')).deliveries;
}
