import { AppError } from '../domain/errors.ts';
import type { LookSource } from '../domain/payments/purchase.ts';
import { convergePurchase, type Converged } from '../db/purchases/converge.ts';
import { getPurchase, namePayment } from '../db/purchases/purchases.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import { PaymentRefused, ProviderUnavailable } from '../platform/payments/provider.ts';
import { afterWrite, type AfterWriteDeps } from './after-write.ts';
import { atProvider, providerOf, type PaymentDeps } from './payments.ts';

export type LookDeps = AfterWriteDeps & Pick<PaymentDeps, 'shop'>;

/** Whoever asks more often is answered by what was seen last. */
const BETWEEN_LOOKS_MS = 2_000;

/**
 * The one way in which a payment changes anything here, whatever made us look: reads it at its provider and books what
 * follows.
 * @throws AppError not_found. ProviderUnavailable.
 */
export async function lookAtPurchase(
  deps: LookDeps,
  { purchaseId, source }: { purchaseId: string; source: LookSource },
): Promise<Converged> {
  const known = await getPurchase(deps.database.sql, purchaseId);
  const look = await providerOf(deps.shop, known).look(atProvider(known));
  const converged = await convergePurchase(deps.database, { purchaseId, look, source });
  if (converged.changed) {
    const { userId } = converged.purchase;
    if (converged.booked === 0) announceAccount(deps.redis, { userId });
    else await afterWrite(deps, userId);
  }
  return converged;
}

/** Looks for a reader who waits at a page. @returns what is known when the provider is away, or was asked just now. */
export async function lookForReader(deps: LookDeps, purchaseId: string): Promise<Converged['purchase']> {
  const known = await getPurchase(deps.database.sql, purchaseId);
  if (known.lookedAt !== null && Date.now() - known.lookedAt < BETWEEN_LOOKS_MS) return known;
  try {
    return (await lookAtPurchase(deps, { purchaseId, source: 'return' })).purchase;
  } catch (error) {
    if (!(error instanceof ProviderUnavailable)) throw error;
    return known;
  }
}

/**
 * Takes the money of a payment that the browser brought back. Nothing that the browser says is believed: the amount is
 * compared before, and what the provider took is looked at afterwards.
 * @throws AppError amount_mismatch, payment_declined, payment_pending (the outcome is not known yet).
 */
export async function confirmPurchase(
  deps: LookDeps,
  { purchaseId, paymentKey, amount }: { purchaseId: string; paymentKey: string; amount: number },
): Promise<Converged['purchase']> {
  const { database, shop } = deps;
  const known = await getPurchase(database.sql, purchaseId);
  const { confirm } = providerOf(shop, known);
  if (confirm === undefined)
    throw new AppError('invalid_request', { field: 'paymentKey', reason: 'this provider needs no confirmation' });
  if (amount !== known.amount) throw new AppError('amount_mismatch', { purchaseId });
  if (!(await namePayment(database.sql, purchaseId, paymentKey))) throw new AppError('amount_mismatch', { purchaseId });
  if (known.state === 'paid') return known;
  try {
    await confirm({ ...atProvider(known), paymentId: paymentKey });
  } catch (cause) {
    if (!(cause instanceof PaymentRefused) && !(cause instanceof ProviderUnavailable)) throw cause;
    const { state } = await lookForReader(deps, purchaseId);
    if (state !== 'paid' && state !== 'awaiting_deposit')
      throw new AppError(
        cause instanceof PaymentRefused ? 'payment_declined' : 'payment_pending',
        { purchaseId },
        { cause },
      );
  }
  return (await lookAtPurchase(deps, { purchaseId, source: 'return' })).purchase;
}
