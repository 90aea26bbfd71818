import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import { takeAlong } from '../session/session.ts';
import { isOpenOutcome } from './open-outcome.ts';
import { openTossWindow } from './toss/open-window.ts';
import { isPaymentDocument, openPaymentDocument } from './toss/payment-document.ts';
import { forgetKey, keepWaiting, keyOf, type Wish } from './wishes.ts';

/**
 * Makes the purchase and goes to where it is paid, in this tab. Pressing again after a lost answer goes on with the
 * same purchase, and so does whoever closed Toss's window and presses again.
 * @throws WindowFailed
 */
export async function startPurchase(wish: Wish): Promise<void> {
  if (wish.provider === 'toss' && !isPaymentDocument()) {
    keepWaiting(wish);
    return openPaymentDocument();
  }
  const { state, checkout } = await purchaseOf(wish);
  if (checkout.kind === 'redirect') {
    forgetKey(wish);
    takeAlong();
    location.assign(checkout.url);
    return;
  }
  if (state === 'created') return openTossWindow(checkout, wish.method);
  // The earlier window's purchase went on meanwhile, so this is another one.
  forgetKey(wish);
  const another = await purchaseOf(wish);
  if (another.checkout.kind === 'toss') await openTossWindow(another.checkout, wish.method);
}

async function purchaseOf(wish: Wish) {
  const { packId, provider, method } = wish;
  try {
    return await answer(
      api.POST('/api/purchases', {
        params: { header: { 'Idempotency-Key': keyOf(wish) } },
        body: { packId, provider, ...(method === null ? {} : { method }) },
      }),
    );
  } catch (error) {
    if (!isOpenOutcome(error)) forgetKey(wish);
    throw error;
  }
}
