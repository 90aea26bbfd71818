import { activityInfo } from '@temporalio/activity';
import { releaseTurn } from '../db/end-turn.ts';
import { reserveTurn, type AdmissionContext } from '../db/reserve-turn.ts';
import { settleTurn } from '../db/settle-turn.ts';
import { announceAccount } from '../platform/account-feed.ts';
import { ownerOfTurnWorkflow, type TurnActivities } from '../workflows/contract.ts';
import type { ActivityDeps } from './index.ts';

/** The short steps of a turn: one transaction each, then a word to whoever watches. */
export function createTurnSteps(
  deps: ActivityDeps,
): Pick<TurnActivities, 'reserveTurn' | 'settleTurn' | 'releaseTurn'> {
  const { database, now } = deps;
  return {
    async reserveTurn({ turnId, cancelled }) {
      const reserved = await reserveTurn(database, turnId, cancelled, admissionContext(deps));
      tellTurnChanged(deps, turnId);
      return reserved;
    },
    async settleTurn({ turnId, answer }) {
      const settled = await settleTurn(database, { turnId, answer, now: now() });
      tellTurnChanged(deps, turnId);
      return settled;
    },
    async releaseTurn({ turnId, reason }) {
      const { currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
      const released = await releaseTurn(database, { turnId, runId: currentRunId(), reason, scheduledAt });
      tellTurnChanged(deps, turnId);
      // Another run has the turn; this one is over without it.
      return released ?? { kind: 'failed', code: 'interrupted' };
    },
  };
}

/** Said after each step of the turn whose activity runs: to its readers, and to those who follow its account. */
function tellTurnChanged(deps: Pick<ActivityDeps, 'feed' | 'redis'>, turnId: string): void {
  deps.feed.announce(turnId, 'changed');
  tellFollowers(deps);
}

/** Of the account whose turn's activity runs. */
export function tellFollowers({ redis }: Pick<ActivityDeps, 'redis'>): void {
  const userId = ownerOfTurnWorkflow(currentExecution().workflowId);
  if (userId !== null) announceAccount(redis, { userId });
}

/** Of the activity that runs: its Temporal run names the hold. */
export function admissionContext({ models, countTokens, now }: ActivityDeps): AdmissionContext {
  return {
    now: now(),
    runId: currentRunId(),
    findModel: (name) => models.find((model) => model.name === name) ?? null,
    countTokens,
  };
}

function currentRunId(): string {
  return currentExecution().runId;
}

function currentExecution() {
  const { workflowExecution } = activityInfo();
  if (workflowExecution === undefined) throw new Error('a turn’s activity belongs to a workflow');
  return workflowExecution;
}
