import { isTaken, unbindTurn } from '../db/turns/turns.ts';
import { AppError } from '../domain/errors.ts';
import type { TurnRecord } from '../domain/turn.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import { TurnStartError } from '../platform/temporal/turn-runs.ts';
import type { OperationDeps } from './deps.ts';

export type StartRunDeps = Pick<OperationDeps, 'database' | 'redis' | 'feed' | 'runs' | 'log'>;

/**
 * Starts the turn's workflow, or finds the run that takes the turn up.
 * @throws AppError unavailable. After a definite failure nothing is bound. After an unclear one (`bound: true`) the
 *   turn stays bound: sending the same id again joins it, and reconcile starts or ends it.
 */
export async function startRun(deps: StartRunDeps, turn: TurnRecord): Promise<void> {
  const { turnId, userId, conversationId } = turn;
  try {
    await deps.runs.start(turn, () => isTaken(deps.database, turnId));
  } catch (error) {
    if (!(error instanceof TurnStartError)) throw error;
    deps.log.warn({ turnId, definite: error.definite }, 'a turn’s workflow did not start');
    if (!error.definite)
      throw new AppError('unavailable', { retryAfter: 5, turnId, conversationId, bound: true }, { cause: error });
    await unbindTurn(deps.database, { turnId });
    deps.feed.announce(turnId, 'changed');
    announceAccount(deps.redis, { userId });
    throw new AppError('unavailable', { retryAfter: 5 }, { cause: error });
  }
}
