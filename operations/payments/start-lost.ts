import { nextLookMs } from '../../domain/payments/next-look.ts';
import { findAwaited } from '../../db/purchases/purchases.ts';
import { findUndecided } from '../../db/purchases/refunds.ts';
import type { OperationDeps } from '../deps.ts';
import type { PaymentDeps } from '../payments.ts';

const AT_A_TIME = 500;

/**
 * Starts the workflows of purchases and refunds that are nowhere but in PostgreSQL: a start was lost, or Temporal's
 * data. Without it a refund would have taken its tokens for nothing, and a payment whose buyer never came back would
 * grant none.
 * @param limits.quietMs how long a look may be overdue, or a refund undecided, before anybody asks for its workflow.
 * @returns how many.
 */
export async function startLostPayments(
  { database, paymentRuns }: Pick<OperationDeps, 'database'> & Pick<PaymentDeps, 'paymentRuns'>,
  { quietMs }: { quietMs: number },
): Promise<number> {
  let started = 0;
  for (const purchase of await findAwaited(database.sql, AT_A_TIME)) {
    const last = purchase.lookedAt ?? purchase.createdAt;
    const next = nextLookMs(purchase, last);
    if (next === null || last + next + quietMs > Date.now() || (await paymentRuns.isWatched(purchase.purchaseId)))
      continue;
    await paymentRuns.hint(purchase);
    started += 1;
  }
  for (const refund of await findUndecided(database.sql, { quietMs, limit: AT_A_TIME })) {
    if (await paymentRuns.isRefunding(refund.refundId)) continue;
    await paymentRuns.startRefund(refund);
    started += 1;
  }
  return started;
}
