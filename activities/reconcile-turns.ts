import { Context } from '@temporalio/activity';
import { releaseTurn } from '../db/turns/end.ts';
import {
  countMismatches,
  expireHolds,
  findQuietTurns,
  findUnsettledAnswer,
  type QuietTurn,
} from '../db/turns/reconcile.ts';
import { settleTurn } from '../db/turns/settle.ts';
import { isTaken } from '../db/turns/turns.ts';
import { afterWrite } from '../operations/after-write.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import type { ReconcileActivities, ReconcileReport } from '../workflows/contract/reconcile.ts';
import type { ActivityDeps } from './deps.ts';

/** A turn that never started is started while its person may still wait. Later it is failed, and may be sent again. */
const START_UNTIL_MS = 10 * 60_000;
const TURNS_AT_A_TIME = 500;
const PROVE_SINCE_MS = 60 * 60_000;

/**
 * Takes every live turn that has been quiet for longer than its limit and whose workflow is not open (terminated, timed
 * out, lost with Temporal's data, never started). A stored answer is settled, a turn that never began is started, and
 * any other is failed with `interrupted`. Then the counters of accounts that moved in the last hour are compared with
 * the ledger.
 */
export function createReconcileTurns(deps: ActivityDeps): ReconcileActivities['reconcileTurns'] {
  return async () => {
    const found = { settled: 0, started: 0, interrupted: 0, failed: 0 };
    const quiet = await findQuietTurns(deps.database, { quietMs: deps.reconcile.quietMs, limit: TURNS_AT_A_TIME });
    for (const turn of quiet) {
      const context = Context.current();
      // Aborted when the next attempt has begun, or the worker shuts down.
      context.cancellationSignal.throwIfAborted();
      context.heartbeat();
      const mended = await mendOrSkip(deps, turn);
      if (mended !== null) found[mended] += 1;
    }
    const expiredHolds = await expireHolds(deps.database);
    const mismatches = await countMismatches(deps.database, { sinceMs: PROVE_SINCE_MS });
    const report: ReconcileReport = { ...found, expiredHolds, mismatches };
    deps.metrics.reconciled(report);
    if (mismatches > 0) deps.log.error(report, 'counters differ from the ledger');
    else if (Object.values({ ...report, failed: 0 }).some((count) => count > 0))
      deps.log.warn(report, 'reconcile mended what it found');
    return report;
  };
}

/** A turn that cannot be mended must not keep later ones waiting. The next round tries it again. */
async function mendOrSkip(deps: ActivityDeps, quiet: QuietTurn): Promise<Mended | 'failed' | null> {
  try {
    return await mend(deps, quiet);
  } catch (error) {
    // Without PostgreSQL or Temporal no turn can be mended, so the round fails here and is run again.
    await deps.database.ping();
    if (!(await deps.runs.ready())) throw error;
    deps.log.error(
      { turnId: quiet.turn.turnId, error: error instanceof Error ? error.name : typeof error },
      'reconcile could not mend a turn',
    );
    return 'failed';
  }
}

type Mended = 'settled' | 'started' | 'interrupted';

async function mend(
  deps: ActivityDeps,
  { turn, hasAnswer, neverStarted, quietForMs }: QuietTurn,
): Promise<Mended | null> {
  // The time is taken before Temporal is asked: any run that claims the turn from now on is newer than what is seen
  // here.
  const seenAt = deps.now();
  if (await deps.runs.isOpen(turn)) return null;
  const { turnId } = turn;
  if (hasAnswer) {
    const answer = await findUnsettledAnswer(deps.database, turnId);
    if (answer === null) return null;
    await settleTurn(deps.database, { turnId, answer, now: deps.now() });
    deps.feed.announce(turnId, 'changed');
    await afterWrite(deps, turn.userId);
    return 'settled';
  }
  if (neverStarted && quietForMs < START_UNTIL_MS) {
    await deps.runs.start(turn, () => isTaken(deps.database, turnId));
    return 'started';
  }
  const released = await releaseTurn(deps.database, {
    turnId,
    runId: 'reconcile',
    reason: reasonFor(turn.stopRequestedAt),
    scheduledAt: seenAt,
  });
  deps.feed.announce(turnId, 'changed');
  announceAccount(deps.redis, turn);
  return released === null ? null : 'interrupted';
}

/** A person who asked for a stop gets a stop. Nothing is charged either way. */
function reasonFor(stopRequestedAt: number | null) {
  return stopRequestedAt === null ? ({ as: 'failed', code: 'interrupted' } as const) : ({ as: 'stopped' } as const);
}
