import { expect, test } from '@jest/globals';
import { lookOf, stripeDispute, stripeRefund, stripeSession } from '../../../platform/payments/stripe/payment.ts';

const CHARGE = {
  id: 'ch_1',
  receipt_url: 'https://pay.stripe.com/receipts/1',
  payment_method_details: { type: 'card', card: { last4: '4242' } },
};
const INTENT = {
  id: 'pi_1',
  status: 'succeeded',
  currency: 'krw',
  amount: 10_000,
  amount_received: 10_000,
  client_secret: 'pi_1_secret',
  latest_charge: CHARGE,
};
/** As Stripe answers it, with what is not used. */
const SESSION = {
  id: 'cs_1',
  object: 'checkout.session',
  client_reference_id: 'order-1',
  currency: 'krw',
  amount_total: 10_000,
  livemode: false,
  status: 'complete',
  payment_status: 'paid',
  url: null,
  customer_details: { email: 'somebody@example.com' },
  payment_intent: INTENT,
};
const dispute = (change: object) =>
  stripeDispute.parse({
    amount: 10_000,
    currency: 'krw',
    status: 'needs_response',
    balance_transactions: [],
    ...change,
  });
const look = (change: object = {}, { refunds = [] as object[], disputes = [] as object[] } = {}) =>
  lookOf({
    session: stripeSession.parse({ ...SESSION, ...change }),
    refunds: refunds.map((refund) => stripeRefund.parse(refund)),
    disputes: disputes.map(dispute),
  });

test.each<[string, object, string, number, string | null]>([
  ['open', { status: 'open', payment_status: 'unpaid', payment_intent: null }, 'open', 0, null],
  [
    'open with a card that was declined',
    { status: 'open', payment_status: 'unpaid', payment_intent: { ...INTENT, status: 'requires_payment_method' } },
    'open',
    0,
    null,
  ],
  ['expired', { status: 'expired', payment_status: 'unpaid', payment_intent: null }, 'expired', 0, 'expired'],
  [
    'complete, with money that comes later',
    { payment_status: 'unpaid', payment_intent: { ...INTENT, status: 'processing', amount_received: 0 } },
    'pending',
    0,
    null,
  ],
  [
    'complete, with money that does not come',
    { payment_status: 'unpaid', payment_intent: { ...INTENT, status: 'requires_payment_method', amount_received: 0 } },
    'failed',
    0,
    'declined',
  ],
  ['paid', {}, 'paid', 10_000, null],
  ['said to be paid without a payment', { payment_intent: null }, 'paid', 0, null],
  [
    'paid for nothing',
    { payment_status: 'no_payment_required', amount_total: 0, payment_intent: null },
    'pending',
    0,
    null,
  ],
])('a session that is %s', (_, change, stage, paid, failure) => {
  expect(look(change).payment).toMatchObject({ stage, paid, failure, orderId: 'order-1', currency: 'KRW' });
});

test.each<[string | null, string]>([
  ['succeeded', 'succeeded'],
  ['pending', 'pending'],
  ['requires_action', 'pending'],
  [null, 'pending'],
  ['failed', 'failed'],
  ['canceled', 'failed'],
])('a refund that is %s is %s', (status, state) => {
  const refunds = [
    { amount: 4_000, status, metadata: { refundId: 'r-1' } },
    { amount: 1_000, status, metadata: {} },
  ];
  expect(look({}, { refunds }).payment.refunds).toEqual([
    { refundId: 'r-1', amount: 4_000, state },
    { refundId: null, amount: 1_000, state },
  ]);
});

test.each<[string, object, number, boolean]>([
  ['an inquiry takes nothing', { status: 'warning_needs_response' }, 0, true],
  ['that is open takes nothing before the money moves', {}, 0, true],
  [
    'takes its amount, whatever currency its movement is in',
    { balance_transactions: [{ amount: -761 }] },
    10_000,
    true,
  ],
  ['of a part takes the part', { amount: 4_000, balance_transactions: [{ amount: -304 }] }, 4_000, true],
  ['that is won gives it back', { status: 'won', balance_transactions: [{ amount: -761 }, { amount: 761 }] }, 0, false],
  [
    'that is won in part keeps the rest',
    { status: 'won', balance_transactions: [{ amount: -800 }, { amount: 200 }] },
    7_500,
    false,
  ],
  ['that is lost keeps it', { status: 'lost', balance_transactions: [{ amount: -761 }] }, 10_000, false],
  [
    'in another currency takes all that was paid',
    { amount: 7, currency: 'usd', balance_transactions: [{ amount: -761 }] },
    10_000,
    true,
  ],
  ['never takes more than was paid', { amount: 12_000, balance_transactions: [{ amount: -900 }] }, 10_000, true],
])('a dispute %s', (_, change, withdrawn, isDisputed) => {
  expect(look({}, { disputes: [change] }).payment).toMatchObject({ withdrawn, isDisputed });
});

test('a payment in another currency than its session says so, and nothing of the buyer is kept', () => {
  expect(look({ payment_intent: { ...INTENT, currency: 'usd' } }).payment.currency).toBe('KRW USD');
  expect(look()).toMatchObject({ paymentId: 'pi_1', method: 'card', receiptUrl: CHARGE.receipt_url });
  for (const secret of ['4242', 'pi_1_secret', 'somebody@'])
    expect(JSON.stringify(stripeSession.parse(SESSION))).not.toContain(secret);
});

test('what is not an answer of Stripe’s is none', () => {
  for (const change of [
    { amount_total: 1.5 },
    { amount_total: -1 },
    { status: 'paid' },
    { livemode: 'no' },
    { id: '' },
    { client_reference_id: 'a\0' },
  ])
    expect(stripeSession.safeParse({ ...SESSION, ...change }).success).toBe(false);
});
