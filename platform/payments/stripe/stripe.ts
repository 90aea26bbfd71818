import Stripe from 'stripe';
import {
  PaymentRefused,
  ProviderUnavailable,
  RefundRefused,
  type AtProvider,
  type PaymentProvider,
  type ToPay,
  type ToRefund,
} from '../provider.ts';
import { unknownTo } from '../unknown.ts';
import { createCardKeeper } from './cards.ts';
import { answerOf, createStripeClient, type StripeSettings } from './client.ts';
import { listChanges } from './changes.ts';
import { hintOf } from './hint.ts';
import { allOf } from './list.ts';
import { findIntent, lookOfIntent, retrieveIntent } from './off-session.ts';
import { intentOf, lookOf, stripeDispute, stripeRefund, stripeSession, type StripeSession } from './payment.ts';

/** Of one payment; nobody refunds it in so many parts. */
const MOST_PAGES = 10;

/** Stripe Checkout: the buyer pays on Stripe's page, and Stripe takes the money by itself. */
export function createStripe(settings: StripeSettings): PaymentProvider {
  const { livemode } = settings;
  const stripe = createStripeClient(settings);

  async function movementsOf(paymentId: string) {
    const of = { payment_intent: paymentId };
    const [refunds, disputes] = await Promise.all([
      allOf((part) => stripe.refunds.list({ ...of, ...part }), stripeRefund, MOST_PAGES),
      allOf((part) => stripe.disputes.list({ ...of, ...part }), stripeDispute, MOST_PAGES),
    ]);
    return { refunds, disputes };
  }

  /** A payment that was made without its buyer. */
  async function lookOffSession(purchase: AtProvider, customer: string) {
    const { purchaseId, paymentId } = purchase;
    const found =
      paymentId === null ? await findIntent(stripe, { customer, purchaseId }) : await retrieveIntent(stripe, paymentId);
    if (found === null) return unknownTo(purchase);
    return lookOfIntent(
      found,
      found.status === 'succeeded' ? await movementsOf(found.id) : { refunds: [], disputes: [] },
    );
  }

  async function look(purchase: AtProvider) {
    if (purchase.customer !== null) return lookOffSession(purchase, purchase.customer);
    if (purchase.sessionId === null) return unknownTo(purchase);
    const session = await answerOf(
      stripe.checkout.sessions.retrieve(purchase.sessionId, { expand: ['payment_intent.latest_charge'] }),
      stripeSession,
    );
    const intent = intentOf(session);
    if (intent === null || session.payment_status !== 'paid') return lookOf({ session, refunds: [], disputes: [] });
    return lookOf({ session, ...(await movementsOf(intent.id)) });
  }

  async function refund({ paymentId }: AtProvider, { refundId, amount }: ToRefund): Promise<void> {
    if (paymentId === null) throw new RefundRefused('refused');
    const made = await answerOf(
      stripe.refunds.create(
        { payment_intent: paymentId, amount, metadata: { refundId } },
        { idempotencyKey: `refund/${refundId}` },
      ),
      stripeRefund,
      () => new RefundRefused('refused'),
    );
    // What Stripe did instead is what the next look books.
    if (made.amount !== amount) throw new ProviderUnavailable('Stripe answered another refund');
  }

  return {
    name: 'stripe',
    livemode,
    asksForRefundAccount: false,
    takes: () => true,
    async checkout(wanted: ToPay) {
      const session =
        wanted.sessionId === null
          ? await createSession(stripe, wanted)
          : await answerOf(stripe.checkout.sessions.retrieve(wanted.sessionId), stripeSession);
      if (!isOf(session, wanted, livemode)) throw new ProviderUnavailable('Stripe answered another checkout');
      // A session that is over has no page any more; ours says what became of it.
      return { checkout: { kind: 'redirect', url: session.url ?? wanted.returnUrl }, sessionId: session.id };
    },
    cards: createCardKeeper(stripe),
    look,
    refund,
    list: (window) => listChanges(stripe, window),
    hear: (headers, body) => hintOf(stripe, { headers, body }, settings),
  };
}

/**
 * Asks for the session of a purchase, which is one however often it is asked for. Stripe compares what is sent again by
 * the same key, so a buyer who has changed their language meanwhile is asked for in the other one.
 */
async function createSession(stripe: Stripe, wanted: ToPay): Promise<StripeSession> {
  const ask = (locale: ToPay['locale']) =>
    stripe.checkout.sessions.create(sessionOf(wanted, locale), { idempotencyKey: `checkout/${wanted.purchaseId}` });
  const created = ask(wanted.locale).catch((error: unknown) => {
    if (!(error instanceof Stripe.errors.StripeIdempotencyError)) throw error;
    return ask(wanted.locale === 'ko' ? 'en' : 'ko');
  });
  return answerOf(created, stripeSession, () => new PaymentRefused('refused'));
}

function isOf(
  { client_reference_id: orderId, amount_total: amount, currency, livemode }: StripeSession,
  wanted: ToPay,
  isLive: boolean,
) {
  return (
    orderId === wanted.purchaseId &&
    amount === wanted.amount &&
    currency?.toUpperCase() === wanted.currency &&
    livemode === isLive
  );
}

/** The amount is in the currency's smallest unit, as Stripe counts it too: won, or cents. */
function sessionOf(
  { purchaseId, amount, currency, names, returnUrl, expiresAt }: ToPay,
  locale: ToPay['locale'],
): Stripe.Checkout.SessionCreateParams {
  return {
    mode: 'payment',
    client_reference_id: purchaseId,
    metadata: { purchaseId },
    payment_intent_data: { metadata: { purchaseId } },
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency: currency.toLowerCase(),
          unit_amount: amount,
          tax_behavior: 'inclusive',
          product_data: { name: names[locale] },
        },
      },
    ],
    // Money is never converted.
    adaptive_pricing: { enabled: false },
    success_url: returnUrl,
    cancel_url: returnUrl,
    expires_at: Math.floor(expiresAt / 1_000),
    locale,
  };
}
