import {
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import { armTemporalSchedule } from '../platform/temporal/schedule.ts';
import {
  ADMIN_STATS_SCHEDULE_ID,
  DAILY_REPORTS_ID,
  PAYMENTS_RECONCILE_IDS,
  RECONCILE_SCHEDULE_ID,
  REPAIR_SCHEDULES_ID,
  taskQueues,
  WORKFLOW_TYPES,
} from '../workflows/contract/ids.ts';
import type { adminStats } from '../workflows/admin-stats.ts';
import type { dailyReports } from '../workflows/reports/daily-reports.ts';
import type { paymentsReconcile } from '../workflows/payments/payments-reconcile.ts';
import type { reconcile } from '../workflows/reconcile.ts';
import type { repairSchedules } from '../workflows/repair-schedules.ts';

export interface SystemSettings {
  readonly taskQueuePrefix: string;
  readonly reconcileEverySeconds: number;
}

/** Creates the system's schedules when a worker starts, or changes them to the wanted form. */
export async function ensureSystemSchedules(client: Client, settings: SystemSettings): Promise<void> {
  for (const schedule of systemSchedules(settings))
    await armTemporalSchedule(client, compile(schedule, settings.taskQueuePrefix));
}

interface SystemSchedule {
  readonly id: string;
  readonly workflowType: string;
  readonly summary: string;
  readonly everySeconds: number;
  /** Seconds after each full `everySeconds` since the epoch. */
  readonly offsetSeconds?: number;
  /** Runs do not overlap (SKIP), so a run that hangs would silently skip all later ones. */
  readonly runsAtMost: `${number} minutes`;
  /**
   * How late a missed firing is still made up for after an outage of the server. A schedule that fires again soon needs
   * no more than a minute.
   */
  readonly catchupWindow: '1 minute' | '1 day';
  /** Fires at once, too, when the schedule is new. */
  readonly atOnce?: boolean;
  readonly args?: Parameters<typeof paymentsReconcile> | [];
}

function systemSchedules({ reconcileEverySeconds }: SystemSettings): SystemSchedule[] {
  return [
    {
      id: RECONCILE_SCHEDULE_ID,
      workflowType: WORKFLOW_TYPES.reconcile,
      summary: 'mend turns that no workflow will end',
      everySeconds: reconcileEverySeconds,
      runsAtMost: '10 minutes',
      catchupWindow: '1 minute',
    },
    {
      id: REPAIR_SCHEDULES_ID,
      workflowType: WORKFLOW_TYPES.repairSchedules,
      summary: 'compare the schedules of users with their accounts',
      // 19:00 UTC, 04:00 in Seoul. A new schedule also fires at once: it may be new because Temporal's data was lost,
      // with all schedules of users.
      everySeconds: 86_400,
      offsetSeconds: 19 * 3_600,
      runsAtMost: '120 minutes',
      catchupWindow: '1 day',
      atOnce: true,
    },
    {
      id: ADMIN_STATS_SCHEDULE_ID,
      workflowType: WORKFLOW_TYPES.adminStats,
      summary: 'compute and cache the admins’ token statistics',
      everySeconds: 600,
      runsAtMost: '5 minutes',
      catchupWindow: '1 minute',
    },
    {
      id: DAILY_REPORTS_ID,
      workflowType: WORKFLOW_TYPES.dailyReports,
      summary: 'forecast accounts at 50 % or more, and close the operator’s month',
      // 20:00 UTC, 05:00 in Seoul.
      everySeconds: 86_400,
      offsetSeconds: 20 * 3_600,
      runsAtMost: '120 minutes',
      catchupWindow: '1 day',
    },
    {
      id: PAYMENTS_RECONCILE_IDS.hourly,
      workflowType: WORKFLOW_TYPES.paymentsReconcile,
      summary: 'compare the payments of the last two hours with the providers’ own lists',
      everySeconds: 3_600,
      offsetSeconds: 17 * 60,
      runsAtMost: '50 minutes',
      catchupWindow: '1 minute',
      args: [{ comparison: 'hourly' }],
    },
    {
      id: PAYMENTS_RECONCILE_IDS.daily,
      workflowType: WORKFLOW_TYPES.paymentsReconcile,
      summary: 'compare the payments of the last three days with the providers’ own lists',
      // 19:30 UTC, 04:30 in Seoul.
      everySeconds: 86_400,
      offsetSeconds: 19.5 * 3_600,
      runsAtMost: '120 minutes',
      catchupWindow: '1 day',
      // A new one may be new because Temporal's data was lost.
      atOnce: true,
      args: [{ comparison: 'daily' }],
    },
  ];
}

function compile(
  {
    id,
    workflowType,
    summary,
    everySeconds,
    offsetSeconds = 0,
    runsAtMost,
    catchupWindow,
    atOnce = false,
    args = [],
  }: SystemSchedule,
  prefix: string,
): ScheduleOptions {
  const scheduleId = `${prefix}${id}`;
  return {
    scheduleId,
    spec: { intervals: [{ every: everySeconds * 1_000, offset: offsetSeconds * 1_000 }] },
    action: {
      type: 'startWorkflow',
      workflowType,
      workflowId: scheduleId,
      taskQueue: taskQueues(prefix).background,
      args,
      staticSummary: summary,
      workflowExecutionTimeout: runsAtMost,
    } satisfies ScheduleOptionsStartWorkflowAction<
      typeof reconcile | typeof repairSchedules | typeof adminStats | typeof paymentsReconcile | typeof dailyReports
    >,
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
    ...(atOnce ? { state: { triggerImmediately: true } } : {}),
  };
}
