import {
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import { armTemporalSchedule } from '../platform/temporal/schedule.ts';
import {
  ADMIN_STATS_SCHEDULE_ID,
  RECONCILE_SCHEDULE_ID,
  REPAIR_SCHEDULES_ID,
  taskQueues,
  WORKFLOW_TYPES,
} from '../workflows/contract/ids.ts';
import type { adminStats } from '../workflows/admin-stats.ts';
import type { reconcile } from '../workflows/reconcile.ts';
import type { repairSchedules } from '../workflows/repair-schedules.ts';

export interface SystemSettings {
  readonly taskQueuePrefix: string;
  readonly reconcileEverySeconds: number;
}

/** Creates the system's schedules at worker start, or brings them to the wanted form. */
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
  /** A run that hangs under SKIP would silently skip all later ones. */
  readonly runsAtMost: `${number} minutes`;
  /**
   * How late a firing that a server's outage missed is still made up for; what comes soon again needs no more than this
   * minute.
   */
  readonly catchupWindow: '1 minute' | '1 day';
  /** Also when the schedule is new. */
  readonly atOnce?: boolean;
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
      // 19:00 UTC, 04:00 in Seoul. At once where it is new: Temporal's data may have been lost, and all schedules with
      // it.
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
      args: [],
      staticSummary: summary,
      workflowExecutionTimeout: runsAtMost,
    } satisfies ScheduleOptionsStartWorkflowAction<typeof reconcile | typeof repairSchedules | typeof adminStats>,
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
    ...(atOnce ? { state: { triggerImmediately: true } } : {}),
  };
}
