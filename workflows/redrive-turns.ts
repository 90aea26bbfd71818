import {
  CancellationScope,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { HEARTBEAT_TIMEOUT_MS } from '../domain/attempt-limits.ts';
import { countTurns, isOver, type RedriveProgress, type RedriveStep } from '../domain/redrive.ts';
import { REDRIVE_SIGNALS, type RedriveActivities, type RedriveInput } from './contract/redrive.ts';

const { advanceRedrive, moveRedrive } = proxyActivities<RedriveActivities>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  summary: 'note what has ended, begin more',
});

const STEPS = Object.keys(REDRIVE_SIGNALS) as RedriveStep[];

/**
 * At some ten events a second, a new run begins long before Temporal's limits. The server also suggests one by size.
 */
const MOST_EVENTS = 4_000;

/**
 * Replays many turns: `ratePerSecond` each second, while fewer than the window run. PostgreSQL holds what is done. The
 * workflow is its clock, and hears pause, resume and cancel. A cancel in the Temporal UI does what the signal does:
 * turns that run may end, and no more are begun.
 */
export async function redriveTurns(input: RedriveInput): Promise<RedriveProgress> {
  const { redriveId, ratePerSecond, mostEvents = MOST_EVENTS } = input;
  const wanted: RedriveStep[] = [];
  for (const step of STEPS)
    setHandler(REDRIVE_SIGNALS[step], () => {
      wanted.push(step);
    });
  CancellationScope.current().cancelRequested.catch(() => {
    wanted.push('cancelling');
  });
  return CancellationScope.nonCancellable(async () => {
    for (;;) {
      for (let to = wanted.shift(); to !== undefined; to = wanted.shift()) await moveRedrive({ redriveId, to });
      const progress = await advanceRedrive({ redriveId, most: ratePerSecond });
      setCurrentDetails(describe(progress, ratePerSecond));
      if (isOver(progress)) return progress;
      await condition(() => wanted.length > 0, progress.state === 'paused' ? '1 minute' : '1 second');
      const { historyLength, continueAsNewSuggested } = workflowInfo();
      if (wanted.length === 0 && (continueAsNewSuggested || historyLength > mostEvents))
        await continueAsNew<typeof redriveTurns>(input);
    }
  });
}

/** Describes the whole redrive each time, because a run that continues another starts without a summary. */
function describe(progress: RedriveProgress, ratePerSecond: number): string {
  const { state, waiting, running, completed, stopped, failed, skipped } = progress;
  const left = Object.entries(skipped)
    .filter(([, count]) => count > 0)
    .map(([why, count]) => `${count} ${why}`);
  return `${state}, ${countTurns(progress)} turns, ${ratePerSecond} a second: ${completed} completed, ${stopped} stopped, ${failed} failed, ${running} running, ${waiting} waiting${left.length === 0 ? '' : `; skipped: ${left.join(', ')}`}`;
}
