import { randomUUID } from 'node:crypto';
import {
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import {
  RESET_AT,
  ScheduleRefused,
  timingOf,
  type PlannedSchedule,
  type Planner,
  type ScheduledAccount,
  type ScheduleKind,
} from '../../domain/schedules.ts';
import { fanOutId, taskQueues, userScheduleId, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import type { fanOut } from '../../workflows/schedules/fan-out.ts';
import type { usageAlert } from '../../workflows/usage-alert.ts';
import { grpcCodeOf, INVALID_ARGUMENT } from './grpc-code.ts';
import { armTemporalSchedule, deleteTemporalSchedule } from './schedule.ts';

/** What PostgreSQL remembers as armed. With one schedule for many accounts, nothing else does. */
export interface ArmedAccounts {
  find(kind: ScheduleKind, userId: number): Promise<ScheduledAccount | null>;
  list(): AsyncIterable<{ readonly kind: ScheduleKind; readonly account: ScheduledAccount }>;
}

/** How long a schedule that this process has seen is taken to be there. */
const KNOWN_FOR_MS = 60_000;

/**
 * Schedules for many accounts at once: one a zone for resets, and one for all hourly checks, however many accounts
 * there are. The server starts some 30 workflows a second in a namespace; these are a few an hour.
 */
export function createZonePlanner(
  client: Client,
  { taskQueuePrefix, armed }: { taskQueuePrefix: string; armed: ArmedAccounts },
): Planner {
  const taskQueue = taskQueues(taskQueuePrefix).background;
  const idOf = (kind: ScheduleKind, timeZone: string) => `${taskQueuePrefix}${fanOutId(kind, timeZone)}`;
  const known = new Map<string, number>();
  /** When it fires next; null where it is not there, or never fires again. */
  const nextOf = new Map<string, Promise<number | null>>();

  async function ensure(kind: ScheduleKind, timeZone: string): Promise<void> {
    const scheduleId = idOf(kind, timeZone);
    if ((known.get(scheduleId) ?? 0) > Date.now()) return;
    await armTemporalSchedule(client, scheduleOf(kind, timeZone, { scheduleId, taskQueue }));
    known.set(scheduleId, Date.now() + KNOWN_FOR_MS);
    nextOf.delete(scheduleId);
  }

  async function planned(kind: ScheduleKind, account: ScheduledAccount): Promise<PlannedSchedule | null> {
    const scheduleId = idOf(kind, account.timeZone);
    let next = nextOf.get(scheduleId);
    if (next === undefined) {
      next = client.schedule
        .getHandle(scheduleId)
        .describe()
        .then(
          ({ info }) => info.nextActionTimes[0]?.getTime() ?? null,
          () => null,
        );
      nextOf.set(scheduleId, next);
      setTimeout(() => nextOf.delete(scheduleId), KNOWN_FOR_MS).unref();
    }
    const nextAt = await next;
    return nextAt === null ? null : { kind, userId: account.userId, timing: timingOf(kind, account), nextAt };
  }

  return {
    async arm(kind, account) {
      await ensure(kind, account.timeZone).catch((cause: unknown) => {
        throw grpcCodeOf(cause) === INVALID_ARGUMENT
          ? new ScheduleRefused(`Temporal refuses the resets of ${account.timeZone}`, { cause })
          : cause;
      });
      // A schedule of the account's own, of before.
      await deleteTemporalSchedule(client, `${taskQueuePrefix}${userScheduleId(kind, account.userId)}`);
      if (kind === 'alert')
        await client.workflow.start<typeof usageAlert>(WORKFLOW_TYPES.usageAlert, {
          workflowId: `${taskQueuePrefix}${userScheduleId(kind, account.userId)}/${randomUUID()}`,
          taskQueue,
          args: [{ userId: account.userId }],
          workflowExecutionTimeout: '15 minutes',
          staticSummary: `check of user ${account.userId} at 90 % or more`,
        });
    },
    disarm: (kind, userId) => deleteTemporalSchedule(client, `${taskQueuePrefix}${userScheduleId(kind, userId)}`),
    async find(kind, userId) {
      const account = await armed.find(kind, userId);
      return account === null ? null : planned(kind, account);
    },
    async *list() {
      for await (const { kind, account } of armed.list()) {
        const schedule = await planned(kind, account);
        if (schedule !== null) yield schedule;
      }
    },
  };
}

function scheduleOf(
  kind: ScheduleKind,
  timeZone: string,
  { scheduleId, taskQueue }: { scheduleId: string; taskQueue: string },
): ScheduleOptions {
  const { spec, catchupWindow, runsAtMost } = PLANS[kind];
  return {
    scheduleId,
    spec: spec(timeZone),
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW_TYPES.fanOut,
      workflowId: scheduleId,
      taskQueue,
      args: [{ kind, timeZone: kind === 'reset' ? timeZone : null }],
      staticSummary: kind === 'reset' ? `monthly resets in ${timeZone}` : 'hourly checks of all at 90 % or more',
      workflowExecutionTimeout: runsAtMost,
    } satisfies ScheduleOptionsStartWorkflowAction<typeof fanOut>,
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
  };
}

const PLANS = {
  reset: {
    // A million accounts of one zone take some hours; the first touch of each resets it before.
    runsAtMost: '20 hours',
    catchupWindow: '1 day',
    spec: (timeZone: string) => ({
      calendars: [{ ...RESET_AT, comment: 'the first of the month, 04:05 on the zone’s clock' }],
      timezone: timeZone,
    }),
  },
  alert: { runsAtMost: '3 hours', catchupWindow: '10 minutes', spec: () => ({ intervals: [{ every: 3_600_000 }] }) },
} as const;
