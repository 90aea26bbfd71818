import { AppError } from '../domain/errors.ts';
import type { PaymentMethod, ProviderName } from '../domain/payments/provider.ts';
import type { Locale } from '../domain/messages.ts';
import { createPurchase, findPurchase, getPurchase, nameSession, type PurchaseRow } from '../db/purchases/purchases.ts';
import { PaymentRefused, ProviderUnavailable, type Checkout } from '../platform/payments/provider.ts';
import type { OperationDeps } from './deps.ts';
import { writeOrFind } from './look-up.ts';
import { sellersOf, type PaymentDeps } from './payments.ts';

export type BuyDeps = PaymentDeps & Pick<OperationDeps, 'database' | 'log'>;

/** Toss gives the buyer 30 minutes, from when its window opens; Stripe lets us choose 30 minutes to 24 hours. */
const PAYABLE_FOR_MS = 3_600_000;

export interface WantedPurchase {
  readonly userId: number;
  readonly packId: string;
  readonly provider: ProviderName;
  readonly method: PaymentMethod | null;
  readonly key: string;
  readonly locale: Locale;
}

/**
 * Makes a purchase and asks its provider for the way to pay. Repeated with the same key, it is the same purchase and
 * the same way.
 * @throws AppError invalid_request, idempotency_conflict, too_many_open_purchases, payment_declined,
 *   provider_unavailable (with `purchaseId`: the same key goes on with it). OutcomeUnknown.
 */
export async function buyTokens(
  deps: BuyDeps,
  { userId, packId, provider: providerName, method, key, locale }: WantedPurchase,
): Promise<{ purchase: PurchaseRow; checkout: Checkout }> {
  const { database, shop } = deps;
  const pack = shop.packs.find((known) => known.packId === packId);
  if (pack === undefined) throw new AppError('invalid_request', { field: 'packId', reason: 'no such pack is sold' });
  const provider = sellersOf(shop, pack).find(({ name }) => name === providerName);
  if (provider === undefined)
    throw new AppError('invalid_request', { field: 'provider', reason: `does not take ${pack.currency} here` });
  const purchase = await writeOrFind(
    () =>
      createPurchase(database, {
        userId,
        pack,
        provider: providerName,
        method,
        livemode: provider.livemode,
        key,
        expiresAt: Date.now() + PAYABLE_FOR_MS,
      }),
    ({ purchaseId }) => (purchaseId === undefined ? Promise.resolve(null) : findPurchase(database.sql, purchaseId)),
  );
  const { purchaseId } = purchase;
  const { checkout, sessionId } = await provider
    .checkout({
      purchaseId,
      sessionId: purchase.sessionId,
      amount: purchase.amount,
      currency: purchase.currency,
      names: { ko: purchase.nameKo, en: purchase.nameEn },
      customerKey: purchaseId,
      expiresAt: purchase.expiresAt,
      returnUrl: `${shop.publicUrl}/purchase/${purchaseId}`,
      locale,
    })
    .catch((cause: unknown) => {
      if (cause instanceof PaymentRefused) throw new AppError('payment_declined', { purchaseId }, { cause });
      if (cause instanceof ProviderUnavailable)
        throw new AppError('provider_unavailable', { purchaseId, retryAfter: 5 }, { cause });
      throw cause;
    });
  if (sessionId !== null) await nameSession(database.sql, purchaseId, sessionId);
  await watchPurchase(deps, purchaseId);
  return { purchase: await getPurchase(database.sql, purchaseId), checkout };
}

/** Starts the purchase's workflow, or makes it look now. One that Temporal does not take now is found by reconcile. */
export async function watchPurchase(deps: Omit<BuyDeps, 'shop'>, purchaseId: string): Promise<void> {
  const { userId } = await getPurchase(deps.database.sql, purchaseId);
  await deps.paymentRuns
    .hint({ purchaseId, userId })
    .catch((error: unknown) =>
      deps.log.warn({ purchaseId, reason: String(error) }, 'the workflow of a purchase was not started'),
    );
}
