import type Stripe from 'stripe';
import { z } from 'zod';
import type { Look } from '../../../domain/payments/purchase.ts';
import { answerOf } from './client.ts';
import { declineOf } from './declines.ts';
import { allOf } from './list.ts';
import { lookOf, stripeIntent, type Seen } from './payment.ts';

/** Of one customer; nobody is charged so often. */
const MOST_PAGES = 20;

/** A payment that was made without its buyer: it has no session. */
const offSession = stripeIntent.extend({
  amount: z.int().min(0),
  livemode: z.boolean(),
  metadata: z.record(z.string(), z.string()).nullish(),
  last_payment_error: z.object({ code: z.string().nullish(), decline_code: z.string().nullish() }).nullish(),
});
export type OffSession = z.infer<typeof offSession>;

const expand = ['latest_charge'];

export function retrieveIntent(stripe: Stripe, paymentId: string): Promise<OffSession> {
  return answerOf(stripe.paymentIntents.retrieve(paymentId, { expand }), offSession);
}

/**
 * The payment of a purchase whose answer never came, by the list of the customer's: it holds all that Stripe has done.
 * Null when Stripe has not heard of it.
 */
export async function findIntent(
  stripe: Stripe,
  { customer, purchaseId }: { customer: string; purchaseId: string },
): Promise<OffSession | null> {
  const all = await allOf(
    (part) => stripe.paymentIntents.list({ customer, expand: ['data.latest_charge'], ...part }),
    offSession,
    MOST_PAGES,
  );
  return all.find(({ metadata }) => metadata?.['purchaseId'] === purchaseId) ?? null;
}

/** One that waits for its buyer waits for ever: nobody is there. */
const WAITING = new Set(['requires_action', 'requires_confirmation']);

export function lookOfIntent(found: OffSession, { refunds, disputes }: Omit<Seen, 'session'>): Look {
  const waits = WAITING.has(found.status);
  const error = found.last_payment_error;
  const look = lookOf({
    session: {
      id: found.id,
      client_reference_id: found.metadata?.['purchaseId'] ?? null,
      currency: found.currency,
      amount_total: found.amount,
      livemode: found.livemode,
      status: 'complete',
      payment_status: found.status === 'succeeded' ? 'paid' : 'unpaid',
      payment_intent: waits ? { ...found, status: 'requires_payment_method' } : found,
    },
    refunds,
    disputes,
  });
  if (look.payment.stage !== 'failed') return look;
  return { ...look, decline: waits ? 'authentication_required' : declineOf(error?.decline_code, error?.code) };
}
