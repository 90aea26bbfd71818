import { activityInfo, ApplicationFailure } from '@temporalio/activity';
import type { AttemptContext } from '../db/turns/attempts.ts';
import type { AdmissionContext } from '../db/turns/reserve.ts';
import { announceAccountSoon } from '../platform/streams/account-feed.ts';
import { ownerOfTurnWorkflow } from '../workflows/contract/ids.ts';
import { TURN_FAILURE_TYPES } from '../workflows/contract/turn.ts';
import type { ActivityDeps } from './deps.ts';

/** Tells the followers of the account whose turn's activity is running. */
export function announceOwner({ redis }: Pick<ActivityDeps, 'redis'>): void {
  const userId = ownerOfTurnWorkflow(currentExecution().workflowId);
  if (userId !== null) announceAccountSoon(redis, { userId });
}

/** The context for the running activity. The Temporal run's id names the hold. */
export function admissionContext({ models, counter }: ActivityDeps): AdmissionContext {
  return {
    runId: currentRunId(),
    findModel: (name) => models.find((model) => model.name === name) ?? null,
    countTokens: (text, encoding, by) => counter.count(text, encoding, by),
  };
}

/** The same, and which of Temporal's tasks it is. */
export function attemptContext(deps: ActivityDeps): AttemptContext {
  const info = activityInfo();
  return {
    ...admissionContext(deps),
    temporalAttempt: info.attempt,
    scheduledAt: info.currentAttemptScheduledTimestampMs,
    limitMs: info.startToCloseTimeoutMs,
  };
}

/** What ends a task that has lost its turn; Temporal does not listen to it any more. */
export function superseded(): ApplicationFailure {
  return ApplicationFailure.create({
    type: TURN_FAILURE_TYPES.interrupted,
    message: 'a newer run or attempt answers this turn',
    nonRetryable: false,
  });
}

export function currentRunId(): string {
  return currentExecution().runId;
}

function currentExecution() {
  const { workflowExecution } = activityInfo();
  if (workflowExecution === undefined) throw new Error('a turn’s activity belongs to a workflow');
  return workflowExecution;
}
