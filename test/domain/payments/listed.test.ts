import { expect, test } from '@jest/globals';
import { judgeListed, type Known, type Listed } from '../../../domain/payments/listed.ts';

const PAYMENT: Listed = {
  kind: 'payment',
  purchaseId: 'p',
  sessionId: null,
  paymentId: 'pay',
  taken: { amount: 10_000, currency: 'KRW', at: 0, refunded: 0 },
};
const CHECKOUT: Listed = { ...PAYMENT, kind: 'checkout', taken: null };
const CHANGE: Listed = { ...PAYMENT, kind: 'change', taken: null };
const PAID: Known = { state: 'paid', paymentId: 'pay', refunded: 0 };

test.each<[string, Listed, Known | null, ReturnType<typeof judgeListed>]>([
  ['money of nobody', PAYMENT, null, 'unmatched'],
  ['a second payment of the same purchase', { ...PAYMENT, paymentId: 'other' }, PAID, 'unmatched'],
  ['a checkout of nobody', CHECKOUT, null, 'known'],
  ['a change of nobody’s payment', CHANGE, null, 'known'],
  ['a payment that is booked', PAYMENT, PAID, 'known'],
  ['a checkout that is booked', CHECKOUT, PAID, 'known'],
  [
    'a payment of which no list says what was given back',
    { ...PAYMENT, taken: { amount: 10_000, currency: 'KRW', at: 0, refunded: null } },
    PAID,
    'known',
  ],
  ['money that is not booked yet', PAYMENT, { ...PAID, state: 'created', paymentId: null }, 'look'],
  ['a checkout that is not booked yet', CHECKOUT, { ...PAID, state: 'expired', paymentId: null }, 'look'],
  ['a refund of which we do not know', PAYMENT, { ...PAID, refunded: 4_000 }, 'look'],
  ['a refund that is booked', PAYMENT, { ...PAID, state: 'refunded' }, 'known'],
  ['a disputed payment', PAYMENT, { ...PAID, state: 'disputed' }, 'look'],
  ['a mismatch', PAYMENT, { ...PAID, state: 'mismatch' }, 'look'],
  ['any change', CHANGE, PAID, 'look'],
])('%s', (_, listed, known, verdict) => {
  expect(judgeListed(listed, known)).toBe(verdict);
});
