import { getPurchase, namePayment, type PurchaseRow } from '../../db/purchases/purchases.ts';
import { claimTopUp, type OpenTopUp, type TopUpShop } from '../../db/top-ups/attempts.ts';
import { readCardRef } from '../../db/top-ups/cards.ts';
import { endTopUp } from '../../db/top-ups/end.ts';
import type { Decline, TopUpOutcome } from '../../domain/payments/top-up.ts';
import { CardRefused } from '../../platform/payments/cards.ts';
import type { TopUpReport } from '../../workflows/contract/top-ups.ts';
import { startDeliveries } from '../channels/start-deliveries.ts';
import { lookAtPurchase, type LookDeps } from '../look-at-purchase.ts';
import { sellersOf, type PaymentDeps } from '../payments.ts';
import { cardKeeperOf } from './keep-cards.ts';

export type TopUpDeps = LookDeps & PaymentDeps;

/** Longer than a provider takes to answer; an outage may be longer, and the same payment is asked for again. */
const EXPIRES_AFTER_MS = 10 * 60_000;
/** A bank may decide later. */
const LOOK_AGAIN_MS = 10 * 60_000;
/** Stripe keeps a key for a day. What it has not heard of by then is asked for anew, by another purchase. */
const SAME_KEY_MS = 20 * 3_600_000;

/**
 * Buys for an account what it has chosen, if it is time to. It may run any number of times and stop anywhere: what is
 * under way is found and looked at before anything is asked again, and the same purchase is asked for by the same key.
 * @throws ProviderUnavailable: nothing is known, nothing is counted, and the claim is kept.
 */
export async function topUp(deps: TopUpDeps, accountId: number): Promise<TopUpReport> {
  const { database } = deps;
  const claim = await claimTopUp(database, accountId, shopOf(deps));
  if (claim.kind === 'rest') {
    await startDeliveries(deps, claim.deliveryIds);
    return { outcome: claim.why, waitMs: claim.why === 'claimed' ? waitFrom(claim.until, claim.now) : null };
  }
  const { topUp, isNew, isWanted } = claim;
  const { purchaseId } = topUp;
  if (!isNew) await lookAtPurchase(deps, { purchaseId, source: 'timer' });
  const before = await getPurchase(database.sql, purchaseId);
  if (before.paymentId !== null) return judge(deps, topUp);
  if (!isWanted || claim.now - topUp.madeAt > SAME_KEY_MS) return end(deps, topUp, { outcome: 'unwanted' });
  return charge(deps, topUp, before);
}

function shopOf({ shop, channels }: TopUpDeps): TopUpShop {
  const provider = cardKeeperOf(shop);
  return {
    findPack(packId) {
      const pack = shop.packs.find((known) => known.packId === packId);
      return pack === undefined || sellersOf(shop, pack).length === 0 ? null : pack;
    },
    livemode: provider?.livemode ?? false,
    expiresAfterMs: EXPIRES_AFTER_MS,
    outward: channels.outward,
  };
}

async function charge(deps: TopUpDeps, topUp: OpenTopUp, purchase: PurchaseRow): Promise<TopUpReport> {
  const { database, shop, log } = deps;
  const { purchaseId, methodId, customer } = topUp;
  const cardRef = await readCardRef(database.sql, shop.vault, methodId);
  const provider = cardKeeperOf(shop);
  if (cardRef === null || provider === null) return end(deps, topUp, { outcome: 'card_gone' });
  const { accountId, amount, currency } = purchase;
  try {
    const { paymentId } = await provider.cards.charge({ purchaseId, accountId, customer, cardRef, amount, currency });
    await namePayment(database.sql, purchaseId, paymentId);
  } catch (error) {
    if (!(error instanceof CardRefused)) throw error;
    log.warn({ purchaseId, code: error.message }, 'a kept card could not be charged');
    if (error.why === 'card_gone') return end(deps, topUp, { outcome: 'card_gone' });
    return end(deps, topUp, { outcome: 'declined', decline: error.why });
  }
  return judge(deps, topUp);
}

/** What the provider says of a payment that it has. */
async function judge(deps: TopUpDeps, topUp: OpenTopUp): Promise<TopUpReport> {
  const { purchase, decline } = await lookAtPurchase(deps, { purchaseId: topUp.purchaseId, source: 'timer' });
  if (purchase.paidAt !== null) return end(deps, topUp, { outcome: 'paid' });
  if (purchase.state === 'mismatch') return end(deps, topUp, { outcome: 'mismatch' });
  if (purchase.state === 'failed' || purchase.state === 'expired')
    return end(deps, topUp, { outcome: 'declined', decline: decline ?? 'declined' });
  return { outcome: 'pending', waitMs: LOOK_AGAIN_MS };
}

async function end(
  deps: TopUpDeps,
  { purchaseId }: OpenTopUp,
  { outcome, decline = null }: { outcome: TopUpOutcome; decline?: Decline | null },
): Promise<TopUpReport> {
  const { accountId } = await getPurchase(deps.database.sql, purchaseId);
  const { outward } = deps.channels;
  const ended = await endTopUp(deps.database, { accountId, purchaseId, outcome, decline, outward });
  await startDeliveries(deps, ended.deliveryIds);
  const { pause, nextTryAt, now } = ended;
  if (pause !== null) return { outcome: 'paused', why: pause, waitMs: null };
  if (outcome === 'declined' && decline !== null)
    return { outcome, why: decline, waitMs: nextTryAt === null ? null : waitFrom(nextTryAt, now) };
  return { outcome: outcome === 'paid' ? 'paid' : 'unwanted', waitMs: null };
}

function waitFrom(at: number | null, now: number): number {
  return Math.max(1_000, (at ?? now) - now);
}
