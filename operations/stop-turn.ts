import { requestStop } from '../db/turns/turns.ts';
import { isLive, type TurnRecord } from '../domain/turn.ts';
import type { OperationDeps } from './deps.ts';

/** Stops a person's turn, if it is live. @returns it as it stood. @throws AppError not_found. */
export async function stopTurn(
  deps: Pick<OperationDeps, 'database' | 'feed' | 'runs' | 'log'>,
  turn: { turnId: string; userId: number },
): Promise<TurnRecord> {
  const requested = await requestStop(deps.database, turn);
  if (isLive(requested.state)) await deliverStop(deps, turn);
  return requested;
}

/**
 * Tells whoever runs the turn that its row asks for a stop. While Temporal is away the end is late, but the row keeps
 * the stop.
 */
export async function deliverStop(
  deps: Pick<OperationDeps, 'feed' | 'runs' | 'log'>,
  { turnId, userId }: { turnId: string; userId: number },
): Promise<void> {
  deps.feed.announce(turnId, 'stop');
  await deps.runs
    .cancel({ turnId, userId })
    .catch((error: unknown) => deps.log.warn({ turnId, reason: String(error) }, 'a stop did not reach Temporal'));
}
