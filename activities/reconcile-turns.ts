import { Context } from '@temporalio/activity';
import { readClock } from '../db/database.ts';
import { proveBooks } from '../db/money/proof.ts';
import { foldDays } from '../db/reports/days/fold-days.ts';
import { foldPeople } from '../db/reports/days/fold-people.ts';
import { releaseTurn } from '../db/turns/end.ts';
import { sweepFiles } from '../db/files/files.ts';
import { eraseTexts, findLeft } from '../db/turns/prompts.ts';
import { deleteStreams } from '../platform/streams/redis-stream.ts';
import { expireHolds, findQuietTurns, findUnsettledAnswer, isQuiet, type QuietTurn } from '../db/turns/reconcile.ts';
import { settleTurn } from '../db/turns/settle.ts';
import { isTaken } from '../db/turns/turns.ts';
import { turnTimeoutMs } from '../domain/attempt-limits.ts';
import type { TurnRecord } from '../domain/turn.ts';
import { afterWrite } from '../operations/after-write.ts';
import { startLostResends } from '../operations/channels/resend.ts';
import { startLostDeliveries } from '../operations/channels/start-deliveries.ts';
import { removeLooseObjects } from '../operations/files/contents.ts';
import { startLostPayments } from '../operations/payments/start-lost.ts';
import { startLostRedrives } from '../operations/run-redrive.ts';
import { stopTurn } from '../operations/stop-turn.ts';
import { forgetCards } from '../operations/top-ups/keep-cards.ts';
import { startLostTopUps, startTopUp } from '../operations/top-ups/start-top-ups.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import type { ReconcileActivities, ReconcileReport } from '../workflows/contract/reconcile.ts';
import type { ActivityDeps } from './deps.ts';

/** A turn that never started is started while its person may still wait. Later it is failed, and may be sent again. */
const START_UNTIL_MS = 10 * 60_000;

/** Objects of the S3 store that one round removes: it has other things to do. */
const MOST_REMOVED = 2_000;

/**
 * Takes every live turn that has been quiet for longer than its limit and whose workflow is not open (terminated, timed
 * out, lost with Temporal's data, never started) or is open and cannot move: settles a stored answer, starts what never
 * began, fails the rest `interrupted`. Starts redrives, purchases, refunds, deliveries and resends that are nowhere but
 * in PostgreSQL. Then adds up the days and proves the counters against the ledger. On the way it stops turns of the
 * OpenAI door that nobody waits for, and erases its texts whose time is over and files that nothing shows.
 */
export function createReconcileTurns(deps: ActivityDeps): ReconcileActivities['reconcileTurns'] {
  return async () => {
    const found = { settled: 0, started: 0, interrupted: 0, failed: 0 };
    for await (const turn of findQuietTurns(deps.database, deps.reconcile)) {
      goOn();
      const mended = await mendOrSkip(deps, turn);
      if (mended !== null) found[mended] += 1;
    }
    for (const turn of await findLeft(deps.database.sql)) await stopTurn(deps, turn);
    const redrives = await startLostRedrives(deps, deps.reconcile);
    const payments = (await startLostPayments(deps, deps.reconcile)) + (await startLostTopUps(deps, deps.reconcile));
    await forgetCards(deps);
    const resends = await startLostResends(deps, deps.reconcile);
    const deliveries = resends + (await startLostDeliveries(deps, deps.reconcile));
    const expiredHolds = await expireHolds(deps.database);
    await eraseTexts(deps.database, {
      afterSeconds: deps.reconcile.apiTextSeconds,
      onStep: async (turnIds) => {
        goOn();
        // Without Redis they are gone some minutes after their end by themselves.
        await deleteStreams(deps.redis, turnIds).catch(() => {});
      },
    });
    await foldDays(deps.database, { onStep: goOn });
    await foldPeople(deps.database, { onStep: goOn });
    await sweepFiles(deps.database, { onStep: goOn });
    await removeLooseObjects(deps, { most: MOST_REMOVED, withinMs: 5_000, onStep: goOn });
    const { mismatches, accountIds } = await proveBooks(deps.database, { onStep: goOn });
    const report: ReconcileReport = { ...found, redrives, payments, deliveries, expiredHolds, mismatches };
    deps.metrics.reconciled(report);
    if (mismatches > 0) deps.log.error({ ...report, accountIds }, 'counters differ from the ledger');
    else if (Object.values({ ...report, failed: 0 }).some((count) => count > 0))
      deps.log.warn(report, 'reconcile mended what it found');
    return report;
  };
}

/** @throws when the next attempt has begun, or the worker shuts down. */
function goOn(): void {
  const context = Context.current();
  context.cancellationSignal.throwIfAborted();
  context.heartbeat();
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
  const seenAt = await readClock(deps.database.sql);
  const run = await deps.runs.findOpen(turn);
  if (run !== null && !(await endIfStuck(deps, turn, { ...run, quietForMs }))) return null;
  const { turnId } = turn;
  if (hasAnswer) {
    const answer = await findUnsettledAnswer(deps.database, turnId);
    if (answer === null) return null;
    const { topUp } = await settleTurn(deps.database, { turnId, answer });
    deps.feed.announce(turnId, 'changed');
    await afterWrite(deps, turn.userId);
    if (topUp !== null) startTopUp(deps, topUp);
    return 'settled';
  }
  // Nobody waits for one of the OpenAI door that has not begun by now.
  if (neverStarted && !turn.isApi && quietForMs < START_UNTIL_MS) {
    await deps.runs.start(turn, () => isTaken(deps.database, turnId));
    return 'started';
  }
  const released = await releaseTurn(deps.database, {
    turnId,
    runId: null,
    reason: reasonFor(turn.stopRequestedAt),
    scheduledAt: seenAt,
  });
  deps.feed.announce(turnId, 'changed');
  announceAccount(deps.redis, turn);
  return released === null ? null : 'interrupted';
}

/**
 * Beyond all its limits a run that is open cannot move: the build it is pinned to has no worker any more, or its code
 * or its history is spoilt. It is ended, and its turn is mended like one whose run is lost.
 * @returns false when the turn is within its limits, or has been touched since it was listed: another run may have it.
 */
async function endIfStuck(
  { database, runs, log }: ActivityDeps,
  { turnId, userId, outputLimit }: TurnRecord,
  { runId, quietForMs }: { runId: string; quietForMs: number },
): Promise<boolean> {
  const limitMs = turnTimeoutMs(outputLimit ?? 0);
  // Read again, now that it is known which run is open: a newer one would have touched the turn.
  if (quietForMs < limitMs || !(await isQuiet(database, turnId, limitMs))) return false;
  await runs.terminate({ turnId, userId, runId }, 'reconcile: beyond all its limits, it cannot move');
  log.warn({ turnId, runId, quietForMs }, 'reconcile terminated a workflow that could not move');
  return true;
}

/** A person who asked to stop gets a stop; nothing is charged either way. */
function reasonFor(stopRequestedAt: number | null) {
  return stopRequestedAt === null ? ({ as: 'failed', code: 'interrupted' } as const) : ({ as: 'stopped' } as const);
}
