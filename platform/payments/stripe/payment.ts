import { z } from 'zod';
import type { PaymentMethod } from '../../../domain/payments/provider.ts';
import type { Look, PaymentStage, SeenRefund } from '../../../domain/payments/purchase.ts';
import { told } from '../told.ts';

const figure = z.int().min(0);
const charge = z.object({
  receipt_url: z.url({ protocol: /^https?$/ }).nullish(),
  payment_method_details: z.object({ type: z.string() }).nullish(),
});
/** The payment of a session. All else of it, such as the card, is dropped here. */
export const stripeIntent = z.object({
  id: told,
  status: z.string(),
  currency: told,
  amount_received: figure,
  latest_charge: z.union([z.string(), charge]).nullish(),
});
/** What of a Checkout Session is used, with its payment expanded. */
export const stripeSession = z.object({
  id: told,
  client_reference_id: told.nullable(),
  currency: told.nullable(),
  amount_total: figure.nullable(),
  livemode: z.boolean(),
  status: z.enum(['open', 'complete', 'expired']),
  payment_status: z.enum(['paid', 'unpaid', 'no_payment_required']),
  url: z.url({ protocol: /^https?$/ }).nullish(),
  payment_intent: z.union([z.string(), stripeIntent]).nullish(),
});
export const stripeRefund = z.object({
  amount: figure,
  status: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});
export const stripeDispute = z.object({
  amount: figure,
  currency: z.string(),
  status: z.string(),
  balance_transactions: z.array(z.object({ amount: z.int() })),
});

export type StripeSession = z.infer<typeof stripeSession>;
type StripeIntent = z.infer<typeof stripeIntent>;

/** The payment of a session, once somebody has begun to pay. */
export function intentOf({ payment_intent: found }: StripeSession): StripeIntent | null {
  return found == null || typeof found === 'string' ? null : found;
}

export interface Seen {
  readonly session: StripeSession;
  readonly refunds: readonly z.infer<typeof stripeRefund>[];
  readonly disputes: readonly z.infer<typeof stripeDispute>[];
}

export function lookOf({ session, refunds, disputes }: Seen): Look {
  const payment = intentOf(session);
  const stage = stageOf(session, payment);
  const paid = stage === 'paid' ? (payment?.amount_received ?? 0) : 0;
  const latest = payment?.latest_charge;
  const seen = latest == null || typeof latest === 'string' ? null : latest;
  const asked = session.currency ?? '';
  // Money that came in another currency than was asked for is not the purchase's.
  const currency = payment === null || payment.currency === asked ? asked : `${asked} ${payment.currency}`;
  return {
    payment: {
      stage,
      orderId: session.client_reference_id ?? '',
      currency: currency.toUpperCase(),
      amount: session.amount_total ?? 0,
      livemode: session.livemode,
      paid,
      refunds: refunds.map(seenRefund),
      withdrawn: Math.min(
        paid,
        disputes.reduce((sum, dispute) => sum + withdrawnBy(dispute, { paid, currency }), 0),
      ),
      isDisputed: disputes.some(({ status }) => /(^|_)(needs_response|under_review)$/.test(status)),
      failure: stage === 'expired' ? 'expired' : stage === 'failed' ? 'declined' : null,
    },
    paymentId: payment?.id ?? null,
    method: methodOf(seen?.payment_method_details?.type),
    dueAt: null,
    receiptUrl: seen?.receipt_url ?? null,
    deposit: null,
    hookSecret: null,
  };
}

/** A session that is complete and unpaid is not over: its money comes days later, or does not. */
function stageOf({ status, payment_status: paid }: StripeSession, payment: StripeIntent | null): PaymentStage {
  if (paid === 'paid') return 'paid';
  if (status !== 'complete') return status;
  return payment?.status === 'requires_payment_method' || payment?.status === 'canceled' ? 'failed' : 'pending';
}

function seenRefund({ metadata, amount, status }: z.infer<typeof stripeRefund>): SeenRefund {
  const refundId = metadata?.['refundId'] ?? null;
  if (status === 'succeeded') return { refundId, amount, state: 'succeeded' };
  return { refundId, amount, state: status === 'failed' || status === 'canceled' ? 'failed' : 'pending' };
}

/**
 * What a dispute keeps from us now. Its movements are in the currency that Stripe pays us out in, so only their ratio
 * is used: all of the disputed amount when nothing came back, none when all did.
 * @param of.paid what a dispute in another currency than the payment's takes: all of it.
 */
function withdrawnBy(
  { amount, currency, balance_transactions: movements }: z.infer<typeof stripeDispute>,
  of: { readonly paid: number; readonly currency: string },
): number {
  const taken = movements.reduce((sum, { amount: moved }) => sum - Math.min(0, moved), 0);
  const returned = movements.reduce((sum, { amount: moved }) => sum + Math.max(0, moved), 0);
  if (returned >= taken) return 0;
  const disputed = currency === of.currency ? amount : of.paid;
  return Number((BigInt(disputed) * BigInt(taken - returned) + BigInt(taken) - 1n) / BigInt(taken));
}

function methodOf(type: string | undefined): PaymentMethod | null {
  if (type === undefined) return null;
  if (/card/.test(type)) return 'card';
  return /_pay$|^payco$|^paypal$|^link$/.test(type) ? 'easy_pay' : 'other';
}
