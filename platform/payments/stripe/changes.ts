import type Stripe from 'stripe';
import { z } from 'zod';
import type { Listed } from '../../../domain/payments/listed.ts';
import { told } from '../told.ts';
import { hintOfObject } from './hint.ts';
import { allOf } from './list.ts';

/** A hundred rows each. A window with more is no answer: it must be told, not cut. */
const MOST_PAGES = 500;

const intent = z.union([told, z.object({ id: told }).transform(({ id: of }) => of)]).nullish();
const charge = z.object({
  id: told,
  created: z.int(),
  status: z.string(),
  amount: z.int(),
  amount_refunded: z.int(),
  currency: told,
  payment_intent: intent,
  metadata: z.object({ purchaseId: told.optional() }).nullish(),
});
const session = z.object({ id: told, client_reference_id: told.nullish(), payment_intent: intent });
const moved = z.object({ payment_intent: intent });
const event = z.object({ data: z.object({ object: z.unknown() }) });

/** All that Stripe says happened: payments, finished checkouts, refunds, disputes, and events that nobody heard. */
export async function listChanges(
  stripe: Stripe,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<Listed[]> {
  const created = { gte: Math.floor(from / 1_000), lt: Math.ceil(to / 1_000) };
  const charges = await allOf((part) => stripe.charges.list({ created, ...part }), charge, MOST_PAGES);
  const sessions = await allOf(
    (part) => stripe.checkout.sessions.list({ created, status: 'complete', ...part }),
    session,
    MOST_PAGES,
  );
  const refunds = await allOf((part) => stripe.refunds.list({ created, ...part }), moved, MOST_PAGES);
  const disputes = await allOf((part) => stripe.disputes.list({ created, ...part }), moved, MOST_PAGES);
  const unheard = await allOf(
    (part) => stripe.events.list({ created, delivery_success: false, ...part }),
    event,
    MOST_PAGES,
  );
  const nothing = { purchaseId: null, sessionId: null, paymentId: null, taken: null };
  return [
    ...charges.filter(({ status }) => status === 'succeeded').map(paymentOf),
    ...sessions.map((of) => ({
      ...nothing,
      kind: 'checkout' as const,
      purchaseId: of.client_reference_id ?? null,
      sessionId: of.id,
      paymentId: of.payment_intent ?? null,
    })),
    ...[...refunds, ...disputes].map((of) => ({
      ...nothing,
      kind: 'change' as const,
      paymentId: of.payment_intent ?? null,
    })),
    ...unheard.map(({ data }) => ({ ...nothing, kind: 'change' as const, ...hintOfObject(data.object) })),
  ];
}

function paymentOf(of: z.infer<typeof charge>): Listed {
  return {
    kind: 'payment',
    purchaseId: of.metadata?.purchaseId ?? null,
    sessionId: null,
    // A charge without a payment intent is one of older ways to be paid.
    paymentId: of.payment_intent ?? of.id,
    taken: {
      amount: of.amount,
      currency: of.currency.toUpperCase(),
      at: of.created * 1_000,
      refunded: of.amount_refunded,
    },
  };
}
