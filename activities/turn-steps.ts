import { activityInfo } from '@temporalio/activity';
import { releaseTurn } from '../db/end-turn.ts';
import { reserveTurn, type AdmissionContext } from '../db/reserve-turn.ts';
import { settleTurn } from '../db/settle-turn.ts';
import type { TurnActivities } from '../workflows/contract.ts';
import type { ActivityDeps } from './index.ts';

/** The short steps of a turn: one transaction each, then a word to whoever watches. */
export function createTurnSteps(deps: ActivityDeps): Pick<TurnActivities, 'reserveTurn' | 'settleTurn' | 'releaseTurn'> {
  const { database, feed, now } = deps;
  return {
    async reserveTurn({ turnId, cancelled }) {
      const reserved = await reserveTurn(database, turnId, cancelled, admissionContext(deps));
      feed.announce(turnId, 'changed');
      return reserved;
    },
    async settleTurn({ turnId, answer }) {
      const settled = await settleTurn(database, { turnId, answer, now: now() });
      feed.announce(turnId, 'changed');
      return settled;
    },
    async releaseTurn({ turnId, reason }) {
      const { currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
      const released = await releaseTurn(database, { turnId, runId: currentRunId(), reason, scheduledAt });
      feed.announce(turnId, 'changed');
      // Another run has the turn; this one is over without it.
      return released ?? { kind: 'failed', code: 'interrupted' };
    },
  };
}

/** Of the activity that runs: its Temporal run names the hold. */
export function admissionContext({ models, countTokens, now }: ActivityDeps): AdmissionContext {
  return { now: now(), runId: currentRunId(), findModel: (name) => models.find((model) => model.name === name) ?? null, countTokens };
}

function currentRunId(): string {
  const { workflowExecution } = activityInfo();
  if (workflowExecution === undefined) throw new Error('a turn’s activity belongs to a workflow');
  return workflowExecution.runId;
}
