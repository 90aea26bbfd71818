import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
  type ScheduleSummary,
} from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import {
  RESET_AT,
  ScheduleRefused,
  spreadSeconds,
  TIMINGS,
  type PlannedSchedule,
  type Planner,
  type ScheduledAccount,
  type ScheduleKind,
} from '../../domain/schedules.ts';
import type { allowanceReset } from '../../workflows/allowance-reset.ts';
import { parseUserScheduleId, taskQueues, userScheduleId, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract/search-attributes.ts';
import type { usageAlert } from '../../workflows/usage-alert.ts';
import { grpcCodeOf, INVALID_ARGUMENT } from './grpc-code.ts';
import { armTemporalSchedule, deleteTemporalSchedule, triggerTemporalSchedule } from './schedule.ts';

const HOUR_MS = 3_600_000;

/**
 * Each user has one Temporal schedule of a kind. The prefix keeps test runs, and installations that share a namespace,
 * apart.
 */
export function createPlanner(client: Client, { taskQueuePrefix }: { taskQueuePrefix: string }): Planner {
  const idOf = (kind: ScheduleKind, userId: number) => `${taskQueuePrefix}${userScheduleId(kind, userId)}`;
  const planned = (schedule: ScheduleSummary) => plannedOf(schedule, taskQueuePrefix);
  return {
    async arm(kind, account) {
      const scheduleId = idOf(kind, account.userId);
      const schedule = scheduleOf(kind, account, { scheduleId, taskQueue: taskQueues(taskQueuePrefix).background });
      const done = await armTemporalSchedule(client, schedule).catch((cause: unknown) => {
        throw grpcCodeOf(cause) === INVALID_ARGUMENT
          ? new ScheduleRefused(`Temporal refuses the ${kind} of user ${account.userId} in ${account.timeZone}`, {
              cause,
            })
          : cause;
      });
      if (kind === 'alert' && done === 'updated') await triggerTemporalSchedule(client, scheduleId);
    },
    async disarm(kind, userId) {
      await deleteTemporalSchedule(client, idOf(kind, userId));
    },
    async find(kind, userId) {
      try {
        return planned(await client.schedule.getHandle(idOf(kind, userId)).describe());
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) return null;
        throw error;
      }
    },
    async *list() {
      for await (const schedule of client.schedule.list({ pageSize: 1_000 })) {
        const known = planned(schedule);
        if (known !== null) yield known;
      }
    },
  };
}

function scheduleOf(
  kind: ScheduleKind,
  account: ScheduledAccount,
  { scheduleId, taskQueue }: { scheduleId: string; taskQueue: string },
): ScheduleOptions {
  const { workflowType, summary, spec, workflowExecutionTimeout, catchupWindow } = PLANS[kind];
  const typedSearchAttributes = new TypedSearchAttributes([
    { key: SEARCH_ATTRIBUTES.userId, value: String(account.userId) },
  ]);
  return {
    scheduleId,
    spec: spec(account),
    action: {
      type: 'startWorkflow',
      workflowType,
      workflowId: scheduleId,
      taskQueue,
      args: [{ userId: account.userId }],
      staticSummary: summary(account),
      typedSearchAttributes,
      // There is no retry policy, and there is a timeout: runs do not overlap (SKIP), so a run that hangs would
      // silently skip all later ones.
      workflowExecutionTimeout,
    } satisfies ScheduleOptionsStartWorkflowAction<typeof allowanceReset | typeof usageAlert>,
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
    ...(kind === 'alert' ? { state: { triggerImmediately: true } } : {}),
    typedSearchAttributes,
  };
}

interface Plan {
  readonly workflowType: string;
  readonly workflowExecutionTimeout: `${number} minutes`;
  /** How late a missed firing is still made up for after an outage of the server. */
  readonly catchupWindow: '1 day' | '10 minutes';
  summary(account: ScheduledAccount): string;
  spec(account: ScheduledAccount): ScheduleOptions['spec'];
}

const PLANS = {
  reset: {
    workflowType: WORKFLOW_TYPES.allowanceReset,
    workflowExecutionTimeout: '15 minutes',
    catchupWindow: '1 day',
    summary: ({ userId }) => `monthly reset of user ${userId}`,
    spec: ({ timeZone }) => ({
      calendars: [{ ...RESET_AT, comment: 'the first of the month, 04:05 on the user’s clock' }],
      timezone: timeZone,
    }),
  },
  alert: {
    workflowType: WORKFLOW_TYPES.usageAlert,
    workflowExecutionTimeout: '15 minutes',
    // A check that is missed longer than this can wait for the next full hour.
    catchupWindow: '10 minutes',
    summary: ({ userId }) => `hourly check of user ${userId} at 90 % or more`,
    spec: ({ userId, periodEndsAt }) => ({
      intervals: [{ every: HOUR_MS, offset: spreadSeconds(userId) * 1_000 }],
      endAt: new Date(periodEndsAt),
    }),
  },
} as const satisfies Record<ScheduleKind, Plan>;

/** @returns null for a schedule that is not a user's of this installation. */
function plannedOf({ scheduleId, spec, info }: ScheduleSummary, prefix: string): PlannedSchedule | null {
  const known = scheduleId.startsWith(prefix) ? parseUserScheduleId(scheduleId.slice(prefix.length)) : null;
  if (known === null) return null;
  return {
    ...known,
    timing: TIMING_OF[known.kind](spec ?? {}, known.userId),
    nextAt: info.nextActionTimes[0]?.getTime() ?? null,
  };
}

type Spec = NonNullable<ScheduleSummary['spec']>;

/**
 * The timing of a schedule that is armed: in the words of `timingOf` where it has our form, else as text that differs
 * from every wanted timing.
 */
const TIMING_OF = {
  reset({ calendars = [], intervals = [], timezone }, userId) {
    const [calendar, ...more] = calendars;
    const {
      dayOfMonth: [day],
      hour: [hour],
      minute: [minute],
    } = calendar ?? { dayOfMonth: [], hour: [], minute: [] };
    const isOurs =
      more.length === 0 &&
      intervals.length === 0 &&
      day?.start === RESET_AT.dayOfMonth &&
      hour?.start === RESET_AT.hour &&
      minute?.start === RESET_AT.minute;
    return isOurs ? TIMINGS.reset({ userId, timeZone: timezone ?? 'UTC', periodEndsAt: 0 }) : 'changed by hand';
  },
  alert({ calendars = [], intervals: [interval, ...more] = [], endAt }, userId) {
    const isOurs =
      calendars.length === 0 &&
      more.length === 0 &&
      interval?.every === HOUR_MS &&
      interval.offset === spreadSeconds(userId) * 1_000 &&
      endAt !== undefined;
    return isOurs ? TIMINGS.alert({ userId, timeZone: 'UTC', periodEndsAt: endAt.getTime() }) : 'changed by hand';
  },
} as const satisfies Record<ScheduleKind, (spec: Spec, userId: number) => string>;
