import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setWorkflowOptions,
  upsertSearchAttributes,
  workflowInfo,
  type WorkflowInfo,
} from '@temporalio/workflow';
import { attemptsTimeoutMs, attemptTimeoutMs, HEARTBEAT_TIMEOUT_MS } from '../domain/attempt-limits.ts';
import { TURN_FAILURES } from '../domain/errors.ts';
import type { ScheduleKind } from '../domain/schedules.ts';
import type { MonthActivities } from './contract/month.ts';
import { SEARCH_ATTRIBUTES } from './contract/search-attributes.ts';
import {
  TURN_FAILURE_TYPES,
  type ChatTurnInput,
  type ChatTurnResult,
  type Ended,
  type Generated,
  type Released,
  type ReleaseReason,
  type Reserved,
  type TurnActivities,
} from './contract/turn.ts';
import { describeCall, describeDebit, describeEnd } from './turn-details.ts';
import { failureCodeOf } from './turn-failure.ts';

/**
 * One run of a turn: hold, answer, debit. A refused or stopped turn completes, because that is a business answer. A
 * failed turn FAILS with a type, so that the Temporal UI finds it. PostgreSQL decides what each step may do, so a run
 * that was reset goes on from what the last run left.
 */
export async function chatTurn({ turnId, userId }: ChatTurnInput): Promise<ChatTurnResult> {
  const reserved = await reserve(turnId);
  const generated = reserved.kind === 'held' ? await generate(turnId, reserved) : reserved;
  if (generated.kind === 'answered') {
    const { answer } = generated;
    const { state, arm } = await untilItSucceeds((activities) => activities.settleTurn({ turnId, answer }));
    setCurrentDetails(describeDebit(state, answer));
    if (arm !== undefined) await armSchedules(userId, arm);
    return { state };
  }
  return finish(generated);
}

// With versioned workers, a turn ends on the version that began it. A turn lives for minutes only, so no old worker is
// kept for long. A worker without a version must not name one: each of its workflow tasks would fail.
setWorkflowOptions(
  () => (hasVersion(workflowInfo().currentDeploymentVersion) ? { versioningBehavior: 'PINNED' } : {}),
  chatTurn,
);

function hasVersion(version: WorkflowInfo['currentDeploymentVersion']): boolean {
  return version !== undefined && version.deploymentName !== '';
}

// A local activity takes a few milliseconds. 10 s of retries bridge a restart of PostgreSQL before the regular activity
// takes over. Attempts that fail at once are ended by maximumAttempts (14 of them take 10 s), because
// scheduleToCloseTimeout ends an attempt under way, but not the wait for the next.
const local = proxyLocalActivities<TurnActivities>({
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '10s',
  retry: { initialInterval: '50ms', backoffCoefficient: 2, maximumInterval: '1s', maximumAttempts: 14 },
});

// An answer must be booked and a hold must be released, however long PostgreSQL is away.
const retriedForDays = proxyActivities<TurnActivities>({
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '7 days',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  summary: 'PostgreSQL did not take it at once',
});

/** Cannot be cancelled: even a cancel before the first workflow task must end the turn in PostgreSQL. */
async function reserve(turnId: string): Promise<Reserved | Released> {
  const cancelled = CancellationScope.current().consideredCancelled;
  const { runId, firstExecutionRunId } = workflowInfo();
  // A run that came of a reset keeps the start of the run that was reset.
  const isReset = runId !== firstExecutionRunId;
  try {
    return await CancellationScope.nonCancellable(() => local.reserveTurn({ turnId, cancelled, isReset }));
  } catch {
    return release(turnId, { as: 'failed', code: 'interrupted' });
  }
}

async function generate(turnId: string, held: Extract<Reserved, { kind: 'held' }>): Promise<Generated | Released> {
  const { outputLimit, model } = held;
  setCurrentDetails(describeCall(held));
  const activities = proxyActivities<TurnActivities>({
    startToCloseTimeout: attemptTimeoutMs(outputLimit),
    scheduleToCloseTimeout: attemptsTimeoutMs(outputLimit),
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    // A stop settles the text that has come, so the cancelled activity's answer is waited for.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // Attempts are not limited here: an attempt says itself that it was the run's last. Temporal may give tasks to a
    // lost machine for another minute. Each of them costs a heartbeat timeout, but is not counted as an attempt.
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    summary: `${model}, at most ${outputLimit} tokens`,
  });
  try {
    return await activities.generate({ turnId });
  } catch (error) {
    const code = failureCodeOf(error);
    // A stop ends a turn that would be tried again. A final failure came before the stop, so it stays a failure.
    const stopped = TURN_FAILURES[code] && (isCancellation(error) || CancellationScope.current().consideredCancelled);
    return release(turnId, stopped ? { as: 'stopped' } : { as: 'failed', code });
  }
}

/**
 * Arms after the debit, so that nobody waits for it. A failed turn arms nothing: it used nothing that a reset would
 * give back, and it closes at once, so that its retry finds no open run. The next debit or the daily repair arms what
 * could not be armed within an hour.
 */
async function armSchedules(userId: number, kinds: readonly ScheduleKind[]): Promise<void> {
  const activities = proxyActivities<MonthActivities>({
    startToCloseTimeout: '20s',
    scheduleToCloseTimeout: '1 hour',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
    summary: `arm ${kinds.join(' and ')}`,
  });
  await CancellationScope.nonCancellable(() => activities.armSchedules({ userId })).catch(() => {});
}

async function release(turnId: string, reason: ReleaseReason): Promise<Released> {
  return untilItSucceeds((activities) => activities.releaseTurn({ turnId, reason }));
}

/**
 * Calls a local activity first, because it adds no event of its own while it succeeds. If it fails, a regular activity
 * retries for seven days.
 */
async function untilItSucceeds<T>(call: (activities: TurnActivities) => Promise<T>): Promise<T> {
  return CancellationScope.nonCancellable(async () => {
    try {
      return await call(local);
    } catch {
      return call(retriedForDays);
    }
  });
}

function finish(ended: Ended): ChatTurnResult {
  setCurrentDetails(describeEnd(ended));
  if (ended.kind === 'ended') return { state: ended.state };
  const type = TURN_FAILURE_TYPES[ended.code];
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.turnError, value: type }]);
  throw ApplicationFailure.nonRetryable(ended.code, type);
}
