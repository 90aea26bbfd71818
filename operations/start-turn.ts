import { isUnavailable } from '../db/driver/availability.ts';
import { isTaken, unbindTurn } from '../db/turns/turns.ts';
import { AppError } from '../domain/errors.ts';
import type { TurnRecord } from '../domain/turn.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import { TurnStartError, type StartOutcome } from '../platform/temporal/turn-runs.ts';
import type { OperationDeps } from './deps.ts';

export type StartRunDeps = Pick<OperationDeps, 'database' | 'redis' | 'feed' | 'runs' | 'log'>;

/**
 * Starts the turn's workflow, or finds the run that takes the turn up.
 * @throws AppError unavailable. After a definite failure nothing is bound. After an unclear one (`bound: true`) the
 *   turn stays bound: sending the same id again joins it, and reconcile starts or ends it. overloaded: Temporal has too
 *   much to do, and nothing is bound.
 */
export async function startRun(deps: StartRunDeps, turn: TurnRecord): Promise<void> {
  const { turnId, userId } = turn;
  try {
    await deps.runs.start(turn, () => isTaken(deps.database, turnId));
  } catch (error) {
    const outcome = error instanceof TurnStartError ? error.outcome : 'unknown';
    deps.log.warn({ turnId, outcome }, 'a turn’s workflow did not start');
    if (outcome === 'unknown') throw boundOr(error, turn);
    const isUnbound = await unbindTurn(deps.database, { turnId }).catch((cause: unknown) => {
      throw boundOr(cause, turn);
    });
    // A start that was slow to be answered had begun the turn.
    if (!isUnbound && outcome === 'slow') return;
    deps.feed.announce(turnId, 'changed');
    announceAccount(deps.redis, { userId });
    throw new AppError(codeOf(outcome, turn), { retryAfter: 5 }, { cause: error });
  }
}

/** Nobody waits for a replay: a redrive tries it again, whatever the reason. */
function codeOf(outcome: StartOutcome, { runReason }: TurnRecord): 'overloaded' | 'unavailable' {
  return outcome === 'refused' || runReason === 'replay' ? 'unavailable' : 'overloaded';
}

/** The turn stands accepted, whether Temporal or PostgreSQL did not say what became of it. */
function boundOr(cause: unknown, { turnId, conversationId }: TurnRecord): unknown {
  if (!(cause instanceof TurnStartError) && !isUnavailable(cause)) return cause;
  return new AppError('unavailable', { retryAfter: 5, turnId, conversationId, bound: true }, { cause });
}
