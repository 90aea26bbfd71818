import { replayTurn } from '../db/turns/replay.ts';
import { findReopened } from '../db/turns/turns.ts';
import type { TurnRecord } from '../domain/turn.ts';
import { writeOrFind } from './look-up.ts';
import { startRun, type StartRunDeps } from './start-turn.ts';

/**
 * Runs one failed turn again, in the background.
 * @returns the turn as it was reopened. @throws AppError as `replayTurn` and `startRun`.
 */
export async function replay(deps: StartRunDeps, wanted: Parameters<typeof replayTurn>[1]): Promise<TurnRecord> {
  const { database } = deps;
  const reopened = await writeOrFind(
    () => replayTurn(database, wanted),
    () => findReopened(database, wanted.turnId),
  );
  await startReplay(deps, reopened);
  return reopened;
}

/**
 * Starts a turn that was reopened. Readers who still watch its failure are told first. @throws AppError as `startRun`.
 */
export async function startReplay(deps: StartRunDeps, reopened: TurnRecord): Promise<void> {
  deps.feed.announce(reopened.turnId, 'changed');
  await startRun(deps, reopened);
}
