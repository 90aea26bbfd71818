import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { continueAsNew, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { FanOut, FanOutActivities, FanOutProgress } from '../contract/fan-out.ts';
import { recordFiring } from '../firing.ts';

// A batch takes seconds, and minutes where the database is busy.
const { fireDue } = proxyActivities<FanOutActivities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  summary: 'the next accounts that are due',
});

const BATCHES_A_RUN = 200;

/** One firing for many accounts, in batches by their ids. Its result and its details say what became of them. */
export async function fanOut(
  what: FanOut,
  progress?: FanOutProgress,
): Promise<Pick<FanOutProgress, 'outcomes' | 'failed'>> {
  if (progress === undefined) recordFiring();
  const begun: FanOutProgress = progress ?? { firedFor: nominalTime(), after: 0, outcomes: {}, failed: 0 };
  const { firedFor } = begun;
  let { after, outcomes, failed } = begun;
  for (let batches = 0; ; batches += 1) {
    if (batches === BATCHES_A_RUN) return continueAsNew<typeof fanOut>(what, { firedFor, after, outcomes, failed });
    const batch = await fireDue({ ...what, firedFor, after });
    outcomes = sum(outcomes, batch.outcomes);
    failed += batch.failed;
    setCurrentDetails(describe(outcomes, failed));
    if (batch.after === null) return { outcomes, failed };
    after = batch.after;
  }
}

const SCHEDULED_FOR = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/** When the firing was due: long ago in a backfill. */
function nominalTime(): number {
  const { typedSearchAttributes, startTime } = workflowInfo();
  return (typedSearchAttributes.get(SCHEDULED_FOR) ?? startTime).getTime();
}

function sum(a: FanOutProgress['outcomes'], b: FanOutProgress['outcomes']): FanOutProgress['outcomes'] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}

function describe(outcomes: FanOutProgress['outcomes'], failed: number): string {
  const said = Object.entries(outcomes).map(([name, count]) => `${count} ${name}`);
  return [...said, ...(failed === 0 ? [] : [`${failed} failed`])].join(', ') || 'nobody is due';
}
