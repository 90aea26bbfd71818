import { proxyActivities, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { PaymentActivities, RefundInput, RefundReport } from './contract/payments.ts';

const { sendRefund } = proxyActivities<PaymentActivities>({
  startToCloseTimeout: '2 minutes',
  // Whether the provider has it is looked up before it is asked again, always under the same key.
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '5m' },
  summary: 'give the money back',
});

const DETAILS = {
  requested: 'the provider has not decided yet',
  succeeded: 'the money was given back',
  failed: 'the provider refused: the tokens came back',
} as const;
const LONGEST_PAUSE_MS = 6 * 3_600_000;

/** Gives money back. Its tokens were taken when it was asked for; the provider's answer decides whether they return. */
export async function refund({ refundId }: RefundInput): Promise<RefundReport> {
  for (let pauseMs = 60_000; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const report = await sendRefund({ refundId });
    setCurrentDetails(DETAILS[report.state]);
    if (report.state !== 'requested') return report;
    await sleep(pauseMs);
  }
}
