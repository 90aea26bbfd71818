import { sql } from 'kysely';
import type { Told } from '../../domain/channels/letters.ts';
import type { Locale } from '../../domain/messages.ts';
import type { Payment } from '../../domain/payments/purchase.ts';
import { writeNotification, type Outward } from '../channels/outbox.ts';
import { one, type Tx } from '../database.ts';
import type { LockedAccount } from '../money/locked-account.ts';
import type { PurchaseRow } from './purchases.ts';

/**
 * Tells the buyer what a look has changed: that a deposit is awaited, that tokens came, that a payment failed, that
 * money was given back. Each is told once, in the transaction that books it.
 * @param change.was the purchase before the look, `before` the payment as it was seen then.
 * @returns deliveries, to be started after the commit.
 */
export async function tellOfPurchase(
  tx: Tx,
  change: {
    account: LockedAccount;
    was: PurchaseRow;
    is: PurchaseRow;
    before: Payment | null;
    payment: Payment;
    outward: Outward;
  },
): Promise<readonly string[]> {
  const { account, outward } = change;
  const news = newsOf(change);
  if (news.length === 0) return [];
  const { userId, now } = account;
  const { locale } = await one(sql<{ locale: Locale }>`select locale from users where id = ${userId}`, tx);
  const deliveries: string[] = [];
  for (const { told, key } of news) {
    const written = await writeNotification(tx, { userId, told, locale, purchaseUrl: '', key, now, outward });
    deliveries.push(...written.deliveryIds);
  }
  return deliveries;
}

function newsOf({
  account: { timeZone, now },
  was,
  is,
  before,
  payment,
}: {
  account: LockedAccount;
  was: PurchaseRow;
  is: PurchaseRow;
  before: Payment | null;
  payment: Payment;
}): { told: Told; key: string }[] {
  const { purchaseId, amount, currency, state, tokens, bonusTokens, dueAt } = is;
  const of = { purchaseId, currency, timeZone };
  const news: { told: Told; key: string }[] = [];
  if (state === 'awaiting_deposit' && was.state !== state && dueAt !== null)
    news.push({ told: { kind: 'purchase.deposit', figures: { ...of, amount, dueAt } }, key: purchaseId });
  if (was.paidAt === null && is.paidAt !== null)
    news.push({
      told: { kind: 'purchase.paid', figures: { ...of, amount, tokens, bonusTokens, paidAt: now } },
      key: purchaseId,
    });
  // Whoever has closed the payment's window knows. What nobody pressed a button for is told once a streak, elsewhere.
  if (state === 'failed' && was.state !== state && is.failure !== 'cancelled' && is.customer === null)
    news.push({ told: { kind: 'purchase.failed', figures: { ...of, amount } }, key: purchaseId });
  const [returned, known] = [returnedBy(payment), before === null ? 0 : returnedBy(before)];
  if (returned > known && state !== 'mismatch')
    news.push({
      told: { kind: 'purchase.refunded', figures: { ...of, amount: returned - known } },
      key: `${purchaseId}/${returned}`,
    });
  return news;
}

/** The money that has gone back, in the smallest unit. */
function returnedBy({ refunds }: Payment): number {
  return refunds.filter(({ state }) => state === 'succeeded').reduce((sum, { amount }) => sum + amount, 0);
}
