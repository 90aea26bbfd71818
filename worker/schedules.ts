import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import { RECONCILE_SCHEDULE_ID, taskQueues, WORKFLOW_TYPES } from '../workflows/contract.ts';

/** Creates the system's schedules at worker start, or brings them to the wanted form. */
export async function ensureSystemSchedules(client: Client, settings: { taskQueuePrefix: string; reconcileEverySeconds: number }): Promise<void> {
  const id = `${settings.taskQueuePrefix}${RECONCILE_SCHEDULE_ID}`;
  await arm(client, {
    scheduleId: id,
    spec: { intervals: [{ every: `${settings.reconcileEverySeconds}s` }] },
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW_TYPES.reconcile,
      workflowId: id,
      taskQueue: taskQueues(settings.taskQueuePrefix).background,
      args: [],
      staticSummary: 'mend turns that no workflow will end',
      // A stuck run under SKIP would silently skip all later ones.
      workflowExecutionTimeout: '10 minutes',
    },
    // What was missed while the server was down is done by the next firing.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
  });
}

async function arm(client: Client, schedule: ScheduleOptions): Promise<void> {
  try {
    await client.schedule.create(schedule);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(schedule.scheduleId).update((previous) => ({ ...previous, ...schedule }));
  }
}
