import { AppError } from '../domain/errors.ts';
import type { RefundState } from '../domain/payments/refund.ts';
import { getPurchase, type PurchaseRow } from '../db/purchases/purchases.ts';
import {
  failRefund,
  findRefund,
  getRefund,
  requestRefund,
  type RefundRow,
  type WantedRefund,
} from '../db/purchases/refunds.ts';
import { readSecrets } from '../db/purchases/secrets.ts';
import { RefundRefused } from '../platform/payments/provider.ts';
import { afterWrite } from './after-write.ts';
import { lookAtPurchase, type LookDeps } from './look-at-purchase.ts';
import { writeOrFind } from './look-up.ts';
import { atProvider, needsRefundAccount, providerOf, type PaymentDeps } from './payments.ts';

export type RefundDeps = LookDeps & PaymentDeps;

/**
 * Takes the tokens and asks for the money. The provider is asked by the refund's workflow.
 * @throws AppError as `requestRefund`; invalid_request for a deposit without an account to pay back to.
 */
export async function refundPurchase(
  deps: RefundDeps,
  wanted: WantedRefund,
): Promise<{ refund: RefundRow; purchase: PurchaseRow }> {
  const { database, shop } = deps;
  const known = await getPurchase(database.sql, wanted.purchaseId);
  if ((wanted.account ?? null) === null && needsRefundAccount(shop, known))
    throw new AppError('invalid_request', { field: 'refundAccount', reason: 'a deposit is paid back to an account' });
  const requested = await writeOrFind(
    () => requestRefund(database, shop.vault, wanted),
    async ({ refundId }) => {
      const refund = refundId === undefined ? null : await findRefund(database.sql, refundId);
      return refund === null ? null : { refund, purchase: await getPurchase(database.sql, refund.purchaseId) };
    },
  );
  const { refundId } = requested.refund;
  const { purchaseId, userId } = requested.purchase;
  await afterWrite(deps, userId);
  await deps.paymentRuns
    .startRefund({ refundId, purchaseId, userId })
    .catch((error: unknown) =>
      deps.log.warn({ refundId, reason: String(error) }, 'the workflow of a refund was not started'),
    );
  return requested;
}

/**
 * Asks the provider for the money unless it knows the refund already, and books what follows. It may run any number of
 * times.
 */
export async function sendRefund(deps: LookDeps, refundId: string): Promise<RefundState> {
  const { database, shop } = deps;
  const { purchaseId, amount } = await getRefund(database.sql, refundId);
  const { purchase } = await lookAtPurchase(deps, { purchaseId, source: 'refund' });
  const before = await getRefund(database.sql, refundId);
  if (before.state !== 'requested') return before.state;
  try {
    const { refundTo: account } = await readSecrets(database.sql, shop.vault, purchaseId);
    await providerOf(shop, purchase).refund(atProvider(purchase), { refundId, amount, account });
  } catch (error) {
    if (!(error instanceof RefundRefused)) throw error;
    const { userId } = await failRefund(database, shop.vault, { refundId, failure: error.failure });
    await afterWrite(deps, userId);
    // It may be refused because the money was given back there meanwhile: the tokens follow the money.
    await lookAtPurchase(deps, { purchaseId, source: 'refund' });
    return 'failed';
  }
  await lookAtPurchase(deps, { purchaseId, source: 'refund' });
  return (await getRefund(database.sql, refundId)).state;
}
