import { answer } from '../api/answer.ts';
import { ApiError } from '../api/api-error.ts';
import { api } from '../api/client.ts';
import { takeAlong } from '../session/session.ts';
import type { Way } from './ways.ts';

/** Answers that say nothing of whether the purchase was made: sent again by the same key, it is the same one. */
const OPEN_OUTCOMES = new Set(['offline', 'provider_unavailable', 'unavailable', 'internal']);

/** The keys of purchases whose outcome is not known, by what is bought. They end with the page. */
const keys = new Map<string, string>();

/**
 * Makes the purchase and goes to where it is paid, in this tab. Pressing again after a lost answer goes on with the
 * same purchase.
 */
export async function startPurchase({ packId, provider, method }: Way & { packId: string }): Promise<void> {
  const what = JSON.stringify([packId, provider, method]);
  const key = keys.get(what) ?? crypto.getRandomValues(new Uint32Array(4)).join('-');
  keys.set(what, key);
  try {
    const { checkout } = await answer(
      api.POST('/api/purchases', {
        params: { header: { 'Idempotency-Key': key } },
        body: { packId, provider, ...(method === null ? {} : { method }) },
      }),
    );
    keys.delete(what);
    if (checkout.kind !== 'redirect') throw new Error(`no way to pay by ${checkout.kind}`);
    takeAlong();
    location.assign(checkout.url);
  } catch (error) {
    if (error instanceof ApiError && !OPEN_OUTCOMES.has(error.code)) keys.delete(what);
    throw error;
  }
}
