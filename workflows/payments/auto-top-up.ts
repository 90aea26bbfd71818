import {
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { TOP_UP_CHANGED, type AutoTopUpInput, type TopUpActivities, type TopUpReport } from '../contract/top-ups.ts';

const { topUp } = proxyActivities<TopUpActivities>({
  startToCloseTimeout: '2 minutes',
  // A provider that is away is asked until it is back, by the same key. It counts as no attempt.
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '5m' },
  summary: 'look whether tokens are to be bought',
});

/**
 * Buys tokens for an account as it has chosen. It waits while a claim is kept after a decline, and ends when nothing is
 * to be done: the next turn that leaves too few tokens starts it anew.
 */
export async function autoTopUp({ accountId }: AutoTopUpInput): Promise<TopUpReport> {
  let hasChanged = false;
  setHandler(TOP_UP_CHANGED, () => {
    hasChanged = true;
  });
  for (;;) {
    hasChanged = false;
    const report = await topUp({ accountId });
    setCurrentDetails(report.why === undefined ? report.outcome : `${report.outcome}: ${report.why}`);
    if (report.waitMs !== null) await condition(() => hasChanged, report.waitMs);
    else if (!hasChanged) return report;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof autoTopUp>({ accountId });
  }
}
