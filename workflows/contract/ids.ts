import type { ScheduleKind } from '../../domain/schedules.ts';

export const WORKFLOW_TYPES = {
  chatTurn: 'chatTurn',
  reconcile: 'reconcile',
  allowanceReset: 'allowanceReset',
  usageAlert: 'usageAlert',
  repairSchedules: 'repairSchedules',
  adminStats: 'adminStats',
  redriveTurns: 'redriveTurns',
} as const;

/**
 * @param userId the owner,
 * @param turnId a UUID; one workflow id per turn for ever: re-sends, retries and replays are runs of it.
 */
export function turnWorkflowId(userId: number, turnId: string): string {
  return `turn/${userId}/${turnId}`;
}

/** Whose turn it is; null for an id that `turnWorkflowId` did not make, such as somebody's own in the Temporal UI. */
export function ownerOfTurnWorkflow(workflowId: string): number | null {
  const [, userId] = /^turn\/([1-9]\d{0,15})\//.exec(workflowId) ?? [];
  return userId === undefined ? null : Number(userId);
}

export const RECONCILE_SCHEDULE_ID = 'reconcile';

export const REPAIR_SCHEDULES_ID = 'schedules-repair';

export const ADMIN_STATS_SCHEDULE_ID = 'admin-stats';

const SCHEDULE_FOLDERS = { reset: 'allowance-reset', alert: 'usage-alert' } as const satisfies Record<
  ScheduleKind,
  string
>;

/** A user's own schedule; its workflows are named after it, with the nominal time behind. */
export function userScheduleId(kind: ScheduleKind, userId: number): string {
  return `${SCHEDULE_FOLDERS[kind]}/${userId}`;
}

/** One workflow a redrive; started again under the same id when Temporal has lost it. */
export function redriveWorkflowId(redriveId: string): string {
  return `redrive/${redriveId}`;
}

/** @returns null for a schedule that is no user's. */
export function parseUserScheduleId(id: string): { kind: ScheduleKind; userId: number } | null {
  const [, folder, digits] = /^(allowance-reset|usage-alert)\/([1-9]\d{0,15})$/.exec(id) ?? [];
  return folder === undefined
    ? null
    : { kind: folder === SCHEDULE_FOLDERS.reset ? 'reset' : 'alert', userId: Number(digits) };
}

/** `turns` for people, `background` for replays, schedules and reconcile; the prefix keeps test runs apart. */
export function taskQueues(prefix: string): { readonly turns: string; readonly background: string } {
  return { turns: `${prefix}turns`, background: `${prefix}background` };
}
