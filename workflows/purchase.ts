import {
  condition,
  continueAsNew,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { PURCHASE_HINT, type PaymentActivities, type PurchaseInput, type PurchaseReport } from './contract/payments.ts';

const { lookAtPurchase } = proxyActivities<PaymentActivities>({
  startToCloseTimeout: '2 minutes',
  // A provider that is away is asked until it is back.
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '5m' },
  summary: 'look at the payment',
});

/** Hints that come close together are one look: a provider sends several webhooks a payment. */
const BETWEEN_LOOKS_MS = 2_000;

/**
 * Watches a purchase until nothing more is expected of its payment. Each look books what the provider says; a hint
 * makes it look now. A hint that comes when it is over starts it anew.
 */
export async function purchase({ purchaseId }: PurchaseInput): Promise<PurchaseReport> {
  // The first look is the start's: whoever starts it has just asked the provider, or was told something.
  let hinted = false;
  setHandler(PURCHASE_HINT, () => {
    hinted = true;
  });
  for (;;) {
    const wasHinted = hinted;
    hinted = false;
    const report = await lookAtPurchase({ purchaseId, hinted: wasHinted });
    setCurrentDetails(`${report.state}${report.booked === 0 ? '' : `, ${report.booked} tokens booked`}`);
    const isOver = report.nextLookMs === null;
    if (isOver && !hinted && !patched('pause-at-the-end')) return report;
    // One that is over waits as well: a hint starts it anew, and each such start looks at once.
    await sleep(BETWEEN_LOOKS_MS);
    if (isOver && !hinted) return report;
    if (report.nextLookMs !== null) await condition(() => hinted, report.nextLookMs);
    // A dispute is watched for months, and anybody who knows its id may send hints.
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof purchase>({ purchaseId });
  }
}
