import { ApplicationFailure } from '@temporalio/activity';
import { nextLookMs } from '../../domain/payments/next-look.ts';
import { lookAtPurchase } from '../../operations/look-at-purchase.ts';
import { sendRefund } from '../../operations/refund-purchase.ts';
import { topUp } from '../../operations/top-ups/top-up.ts';
import { ProviderUnavailable } from '../../platform/payments/provider.ts';
import type { PaymentActivities } from '../../workflows/contract/payments.ts';
import type { TopUpActivities } from '../../workflows/contract/top-ups.ts';
import type { ActivityDeps } from '../deps.ts';

/** A step that is run twice finds at the provider and in the books what the first one did. */
export function createPaymentSteps(deps: ActivityDeps): PaymentActivities & TopUpActivities {
  return {
    async lookAtPurchase({ purchaseId, hinted }) {
      const look = { purchaseId, source: hinted ? ('webhook' as const) : ('timer' as const) };
      const { purchase, booked } = await lookAtPurchase(deps, look).catch(rethrowAway);
      return { state: purchase.state, booked, nextLookMs: nextLookMs(purchase, Date.now()) };
    },
    topUp: ({ accountId }) => topUp(deps, accountId).catch(rethrowAway),
    async sendRefund({ refundId }) {
      return { state: await sendRefund(deps, refundId).catch(rethrowAway) };
    },
  };
}

/** A provider that is away is no fault of ours, and its message stays out of Temporal. */
function rethrowAway(error: unknown): never {
  if (error instanceof ProviderUnavailable)
    throw ApplicationFailure.retryable('the payment provider did not answer', error.name);
  throw error;
}
