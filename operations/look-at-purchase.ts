import type { AuditActor } from '../domain/audit.ts';
import { AppError } from '../domain/errors.ts';
import { decidePurchase, type Look, type LookSource } from '../domain/payments/purchase.ts';
import type { Decline } from '../domain/payments/top-up.ts';
import { writeAudit } from '../db/audit.ts';
import { convergePurchase, type Converged } from '../db/purchases/converge.ts';
import { boughtOf, getPurchase, namePayment, type PurchaseRow } from '../db/purchases/purchases.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import { PaymentRefused, ProviderUnavailable } from '../platform/payments/provider.ts';
import type { ChannelDeps } from './channels/channels.ts';
import { startDeliveries } from './channels/start-deliveries.ts';
import { afterWrite, type AfterWriteDeps } from './after-write.ts';
import { atProvider, providerOf, type PaymentDeps } from './payments.ts';

export type LookDeps = AfterWriteDeps & Pick<PaymentDeps, 'shop'> & ChannelDeps;

/** Whoever asks more often is answered by what was seen last. */
const BETWEEN_LOOKS_MS = 2_000;

/**
 * The one way in which a payment changes anything here, whatever made us look: reads it at its provider and books what
 * follows.
 * @returns `decline`: why a kept card was refused; null unless it was.
 * @throws AppError not_found. ProviderUnavailable.
 */
export async function lookAtPurchase(
  deps: LookDeps,
  { purchaseId, source }: { purchaseId: string; source: LookSource },
): Promise<Converged & { readonly decline: Decline | null }> {
  const { database, shop } = deps;
  const known = await getPurchase(database.sql, purchaseId);
  const look = await readPayment(deps, known);
  const converged = await convergePurchase(database, {
    purchaseId,
    look,
    source,
    vault: shop.vault,
    outward: deps.channels.outward,
  });
  await startDeliveries(deps, converged.deliveryIds);
  if (converged.changed) {
    const { userId } = converged.purchase;
    if (converged.booked === 0) announceAccount(deps.redis, { userId });
    else await afterWrite(deps, userId);
  }
  return { ...converged, decline: look.decline ?? null };
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
 * Looks because an admin asks. That they did is audited before, whatever the look brings.
 * @throws AppError not_found, provider_unavailable.
 */
export async function lookForAdmin(
  deps: LookDeps,
  { purchaseId, actor }: { purchaseId: string; actor: AuditActor },
): Promise<PurchaseRow> {
  const { state } = await getPurchase(deps.database.sql, purchaseId);
  await deps.database.transaction((tx) =>
    writeAudit(tx, {
      actor,
      action: 'purchase.look',
      target: `purchase:${purchaseId}`,
      reason: null,
      before: { state },
    }),
  );
  try {
    return (await lookAtPurchase(deps, { purchaseId, source: 'admin' })).purchase;
  } catch (cause) {
    if (!(cause instanceof ProviderUnavailable)) throw cause;
    throw new AppError('provider_unavailable', { purchaseId, retryAfter: 5 }, { cause });
  }
}

/**
 * Takes the money of a payment that the browser brought back. Nothing that the browser says is believed: the provider
 * is asked whose payment it is before, and what was taken afterwards.
 * @throws AppError amount_mismatch, payment_declined, payment_pending (the outcome is not known yet: the purchase's
 *   workflow goes on with it).
 */
export async function confirmPurchase(
  deps: LookDeps,
  { purchaseId, paymentKey, amount }: { purchaseId: string; paymentKey: string; amount: number },
): Promise<PurchaseRow> {
  const { database, shop } = deps;
  const known = await getPurchase(database.sql, purchaseId);
  const provider = providerOf(shop, known);
  if (provider.confirm === undefined)
    throw new AppError('invalid_request', { field: 'paymentKey', reason: 'this provider needs no confirmation' });
  const differs = () => new AppError('amount_mismatch', { purchaseId });
  if (amount !== known.amount || (known.paymentId !== null && known.paymentId !== paymentKey)) throw differs();
  try {
    if (known.paymentId === null) {
      const { payment, paymentId } = await provider.look({ ...atProvider(known), paymentId: paymentKey });
      // Named before it is known to be this purchase's, it could never be the one's whose it is.
      if (decidePurchase(boughtOf(known), payment, []).state === 'mismatch') throw differs();
      if (paymentId !== paymentKey) throw new AppError('payment_declined', { purchaseId });
      if (!(await namePayment(database.sql, purchaseId, paymentKey))) throw differs();
    }
    const { purchase } = await lookAtPurchase(deps, { purchaseId, source: 'return' });
    return settled(purchase);
  } catch (cause) {
    if (!(cause instanceof ProviderUnavailable)) throw cause;
    throw new AppError('payment_pending', { purchaseId }, { cause });
  }
}

/** What the buyer is told of a payment that the provider has not taken. */
function settled(purchase: PurchaseRow): PurchaseRow {
  const { state, purchaseId } = purchase;
  if (state === 'failed' || state === 'expired') throw new AppError('payment_declined', { purchaseId });
  if (state === 'created' || state === 'pending') throw new AppError('payment_pending', { purchaseId });
  if (state === 'mismatch') throw new AppError('amount_mismatch', { purchaseId });
  return purchase;
}

/**
 * Reads the payment. One that the buyer has come back with and that waits for us is taken first, whoever looks: the
 * process that was asked to may have died. Its key is the purchase's, so that it is taken once.
 */
async function readPayment({ shop, log }: LookDeps, purchase: PurchaseRow): Promise<Look> {
  const provider = providerOf(shop, purchase);
  const look = await provider.look(atProvider(purchase));
  const { paymentId } = purchase;
  const waits =
    decidePurchase(boughtOf(purchase), look.payment, []).state === 'pending' && look.paymentId === paymentId;
  if (provider.confirm === undefined || paymentId === null || !waits) return look;
  try {
    await provider.confirm({ ...atProvider(purchase), paymentId });
  } catch (error) {
    if (error instanceof PaymentRefused) return declined(await provider.look(atProvider(purchase)));
    if (!(error instanceof ProviderUnavailable)) throw error;
    // Whether it was taken is what the next look says.
    log.warn({ purchaseId: purchase.purchaseId, reason: error.message }, 'nothing says whether a payment was taken');
  }
  return provider.look(atProvider(purchase));
}

/** The provider has refused it, whether or not its payment says so by now. */
function declined(look: Look): Look {
  if (look.payment.stage !== 'pending' && look.payment.stage !== 'open') return look;
  return { ...look, payment: { ...look.payment, stage: 'failed', failure: 'declined' } };
}
