import { activityInfo } from '@temporalio/activity';
import { releaseTurn } from '../db/turns/end.ts';
import { reserveTurn } from '../db/turns/reserve.ts';
import { settleTurn } from '../db/turns/settle.ts';
import type { TurnRecord } from '../domain/turn.ts';
import { startTopUp } from '../operations/top-ups/start-top-ups.ts';
import type { TurnActivities } from '../workflows/contract/turn.ts';
import type { ActivityDeps } from './deps.ts';
import { admissionContext, announceOwner, currentRunId } from './turn-context.ts';

/** The short steps of a turn. Each is one transaction, and then its watchers are told. */
export function createTurnSteps(
  deps: ActivityDeps,
): Pick<TurnActivities, 'reserveTurn' | 'settleTurn' | 'releaseTurn'> {
  const { database } = deps;
  return {
    async reserveTurn({ turnId, ...run }) {
      const reserved = await reserveTurn(database, turnId, run, admissionContext(deps));
      if (reserved.kind !== 'held') {
        announceTurn(deps, turnId);
        return reserved;
      }
      const { turn, ...held } = reserved;
      announceWritten(deps, turn);
      return held;
    },
    async settleTurn({ turnId, answer }) {
      const { topUp, turn, ...settled } = await settleTurn(database, { turnId, answer });
      announceWritten(deps, turn);
      if (topUp !== null) startTopUp(deps, topUp);
      return settled;
    },
    async releaseTurn({ turnId, reason }) {
      const { currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
      const released = await releaseTurn(database, { turnId, runId: currentRunId(), reason, scheduledAt });
      announceTurn(deps, turnId);
      // Another run has taken the turn, so this one is over without it.
      return released ?? { kind: 'failed', code: 'interrupted' };
    },
  };
}

/** The same as `announceTurn`, and hands the turn to its readers in this process, who need not read it. */
function announceWritten(deps: Pick<ActivityDeps, 'feed' | 'redis'>, turn: TurnRecord): void {
  deps.feed.announceWritten(turn);
  announceOwner(deps);
}

/** Tells the turn's readers and the followers of its account. Called after each step. */
function announceTurn(deps: Pick<ActivityDeps, 'feed' | 'redis'>, turnId: string): void {
  deps.feed.announce(turnId, 'changed');
  announceOwner(deps);
}
