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
 * One run of a turn: hold, answer, debit. A refused or stopped turn completes (a business answer); a failed one FAILS,
 * typed, so that the Temporal UI finds it. PostgreSQL decides what each step may do; a run that is reset finds what the
 * last one left.
 */
export async function chatTurn({ turnId, userId }: ChatTurnInput): Promise<ChatTurnResult> {
  const reserved = await reserve(turnId);
  const generated = reserved.kind === 'held' ? await generate(turnId, reserved) : reserved;
  if (generated.kind === 'answered') {
    const { answer } = generated;
    const { state, arm } = await lastingly((activities) => activities.settleTurn({ turnId, answer }));
    setCurrentDetails(describeDebit(state, answer));
    if (arm !== undefined) await armSchedules(userId, arm);
    return { state };
  }
  return finish(generated);
}

// Where workers have versions, a turn ends on the one that began it. It lives some minutes, so no old worker is kept
// for long. A worker without a version must not speak of one: its every workflow task would fail.
setWorkflowOptions(
  () => (hasVersion(workflowInfo().currentDeploymentVersion) ? { versioningBehavior: 'PINNED' } : {}),
  chatTurn,
);

function hasVersion(version: WorkflowInfo['currentDeploymentVersion']): boolean {
  return version !== undefined && version.deploymentName !== '';
}

// Together they take a few milliseconds; 10 s of retries bridge a restart of PostgreSQL before the regular activity
// takes over. The limit on attempts is what ends those that fail at once (14 of them take 10 s): schedule-to-close ends
// one under way, not the wait for the next.
const local = proxyLocalActivities<TurnActivities>({
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '10s',
  retry: { initialInterval: '50ms', backoffCoefficient: 2, maximumInterval: '1s', maximumAttempts: 14 },
});

// What was answered must be booked and what was held must be released, however long PostgreSQL is away.
const lasting = proxyActivities<TurnActivities>({
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '7 days',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  summary: 'PostgreSQL did not take it at once',
});

/** Not cancellable: a cancel before the first workflow task must still end the turn in PostgreSQL. */
async function reserve(turnId: string): Promise<Reserved | Released> {
  const cancelled = CancellationScope.current().consideredCancelled;
  try {
    return await CancellationScope.nonCancellable(() => local.reserveTurn({ turnId, cancelled }));
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
    // A stop settles what has come, so the answer of the cancelled activity is waited for.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // Until an attempt says that it was the run's last: a machine that is lost without a word takes tasks for another
    // minute, and each of them costs a heartbeat timeout, but no attempt.
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    summary: `${model}, at most ${outputLimit} tokens`,
  });
  try {
    return await activities.generate({ turnId });
  } catch (error) {
    const code = failureCodeOf(error);
    // A stop ends what would be tried again; a failure that is final came before it.
    const stopped = TURN_FAILURES[code] && (isCancellation(error) || CancellationScope.current().consideredCancelled);
    return release(turnId, stopped ? { as: 'stopped' } : { as: 'failed', code });
  }
}

/**
 * After the debit, so that nobody waits for it, and only there: a turn that fails used nothing that a reset would give
 * back, and closes at once, so that its retry finds no open run. What cannot be armed within an hour the next debit
 * arms, or the daily repair.
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
  return lastingly((activities) => activities.releaseTurn({ turnId, reason }));
}

/**
 * First as a local activity, which costs no event of its own while it succeeds; then as one that outlasts an outage.
 */
async function lastingly<T>(call: (activities: TurnActivities) => Promise<T>): Promise<T> {
  return CancellationScope.nonCancellable(async () => {
    try {
      return await call(local);
    } catch {
      return call(lasting);
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
