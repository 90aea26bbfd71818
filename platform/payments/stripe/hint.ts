import type Stripe from 'stripe';
import { z } from 'zod';
import type { Hint } from '../provider.ts';
import { told } from '../told.ts';

/** A webhook that was signed longer ago may be one that somebody has kept. */
const SIGNED_WITHIN_S = 300;

/** Of a session, a payment, a charge, a refund or a dispute: what may lead to a purchase. */
const object = z.object({
  id: told,
  object: z.string(),
  client_reference_id: told.nullish(),
  payment_intent: z.union([told, z.object({ id: told })]).nullish(),
  metadata: z.object({ purchaseId: told.optional() }).nullish(),
});
const event = z.object({ id: told, type: told, livemode: z.boolean(), data: z.object({ object }) });

/**
 * What a webhook is about, by the bytes as they came.
 * @returns null when the signature is not Stripe's or is old; a hint of nothing for what is none of ours, and for the
 *   other mode.
 */
export function hintOf(
  stripe: Stripe,
  { headers, body }: { headers: Readonly<Record<string, unknown>>; body: Buffer },
  { webhookSecret, livemode }: { webhookSecret: string; livemode: boolean },
): Hint | null {
  const signature = headers['stripe-signature'];
  if (typeof signature !== 'string') return null;
  const none: Hint = {
    eventId: null,
    type: 'unknown',
    purchaseId: null,
    sessionId: null,
    paymentId: null,
    secret: null,
  };
  let signed: unknown;
  try {
    signed = stripe.webhooks.constructEvent(body, signature, webhookSecret, SIGNED_WITHIN_S);
  } catch {
    return null;
  }
  const heard = event.safeParse(signed);
  if (!heard.success || heard.data.livemode !== livemode) return none;
  const { id: eventId, type, data } = heard.data;
  return { ...none, eventId, type, ...namesIn(data.object) };
}

/** What an object of Stripe's names; nulls for one that is not known. */
export function hintOfObject(about: unknown): Pick<Hint, 'purchaseId' | 'sessionId' | 'paymentId'> {
  const known = object.safeParse(about);
  return known.success ? namesIn(known.data) : { purchaseId: null, sessionId: null, paymentId: null };
}

function namesIn(about: z.infer<typeof object>): Pick<Hint, 'purchaseId' | 'sessionId' | 'paymentId'> {
  const intent = typeof about.payment_intent === 'string' ? about.payment_intent : about.payment_intent?.id;
  return {
    purchaseId: about.client_reference_id ?? about.metadata?.purchaseId ?? null,
    sessionId: about.object === 'checkout.session' ? about.id : null,
    paymentId: about.object === 'payment_intent' ? about.id : (intent ?? null),
  };
}
