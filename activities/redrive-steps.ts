import { beginReplay, countProgress, findDue, findUnstarted, recordEndings } from '../db/redrives/redrive-turns.ts';
import { endRedrive, getRedrive, moveRedrive } from '../db/redrives/redrives.ts';
import { AppError } from '../domain/errors.ts';
import { isOver, REDRIVE_WINDOW } from '../domain/redrive.ts';
import type { TurnRecord } from '../domain/turn.ts';
import { startReplay } from '../operations/replay-turn.ts';
import type { RedriveActivities } from '../workflows/contract/redrive.ts';
import type { ActivityDeps } from './deps.ts';
import { heartbeating } from './heartbeat.ts';

/**
 * PostgreSQL says what is to be done and what was done, so a step that is run twice, or by another worker, goes on
 * where the last one ended.
 */
export function createRedriveSteps(deps: ActivityDeps): RedriveActivities {
  const { database } = deps;
  return {
    advanceRedrive: ({ redriveId, most }) =>
      heartbeating(async () => {
        await recordEndings(database, redriveId);
        const { state, progress } = await getRedrive(database.sql, redriveId);
        if (!isOver({ state })) {
          for (const turn of await findUnstarted(database, redriveId)) await start(deps, turn);
          if (state === 'running') await begin(deps, redriveId, Math.min(most, REDRIVE_WINDOW - progress.running));
          await endRedrive(database, redriveId);
        }
        const now = await getRedrive(database.sql, redriveId);
        return countProgress(database.sql, redriveId, now.state);
      }),
    async moveRedrive({ redriveId, to }) {
      await moveRedrive(database, { redriveId, to, actor: null, reason: null });
    },
  };
}

async function begin(deps: ActivityDeps, redriveId: string, most: number): Promise<void> {
  if (most <= 0) return;
  for (const turnId of await findDue(deps.database, redriveId, most)) {
    const turn = await beginReplay(deps.database, { redriveId, turnId });
    if (turn !== null) await start(deps, turn);
  }
}

async function start(deps: ActivityDeps, turn: TurnRecord): Promise<void> {
  await startReplay(deps, turn).catch((error: unknown) => {
    // A replay whose start is unclear is found again as unstarted; one whose start was refused has failed.
    if (!(error instanceof AppError && error.code === 'unavailable')) throw error;
  });
}
