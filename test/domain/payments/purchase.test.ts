import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decidePurchase,
  isAcceptable,
  tokensFor,
  type Bought,
  type Payment,
  type PurchaseState,
} from '../../../domain/payments/purchase.ts';
import { NOTHING, refundFor, unspentOf } from '../../../domain/payments/refund.ts';

const BOUGHT: Bought = {
  purchaseId: '0199-a',
  tokens: 100_000,
  bonusTokens: 10_000,
  currency: 'KRW',
  amount: 10_000,
  livemode: true,
};
const PAID: Payment = {
  stage: 'paid',
  orderId: '0199-a',
  currency: 'KRW',
  amount: 10_000,
  livemode: true,
  paid: 10_000,
  refunds: [],
  withdrawn: 0,
  isDisputed: false,
  failure: null,
};
const refund = (amount: number, state: 'pending' | 'succeeded' | 'failed' = 'succeeded', refundId = 'r') => ({
  refundId,
  amount,
  state,
});

describe('what a purchase is worth now', () => {
  test.each<[string, Partial<Payment>, PurchaseState, number | null]>([
    ['nobody has paid', { stage: 'open', paid: 0 }, 'created', 0],
    ['the provider has not decided', { stage: 'pending', paid: 0 }, 'pending', 0],
    ['a deposit is awaited', { stage: 'awaiting_deposit', paid: 0 }, 'awaiting_deposit', 0],
    ['it failed', { stage: 'failed', paid: 0, failure: 'declined' }, 'failed', 0],
    ['its time is over', { stage: 'expired', paid: 0 }, 'expired', 0],
    ['it is paid', {}, 'paid', 110_000],
    ['a little was given back: the free tokens go', { refunds: [refund(1)] }, 'partially_refunded', 99_990],
    ['half was given back', { refunds: [refund(2_000), refund(3_000)] }, 'partially_refunded', 50_000],
    ['a refund is on its way', { refunds: [refund(5_000, 'pending')] }, 'partially_refunded', 50_000],
    ['a refund came back to us', { refunds: [refund(5_000, 'failed')] }, 'paid', 110_000],
    ['all was given back', { refunds: [refund(10_000)] }, 'refunded', 0],
    ['a dispute is open and has taken nothing', { isDisputed: true }, 'disputed', 110_000],
    ['a dispute has taken the money', { isDisputed: true, withdrawn: 10_000 }, 'disputed', 0],
    ['a dispute is lost', { withdrawn: 10_000 }, 'disputed', 0],
    ['a dispute took it after half was refunded', { refunds: [refund(5_000)], withdrawn: 5_000 }, 'disputed', 0],
    ['more is gone than was paid', { refunds: [refund(10_000)], withdrawn: 10_000 }, 'disputed', 0],
    ['far more is said to be gone than was paid', { refunds: [refund(9e15)] }, 'refunded', 0],
    ['another amount was asked', { amount: 1_000, paid: 1_000 }, 'mismatch', null],
    ['another amount was paid', { paid: 9_999 }, 'mismatch', null],
    ['another currency', { currency: 'USD' }, 'mismatch', null],
    ['another purchase', { orderId: '0199-b' }, 'mismatch', null],
    ['a test payment for a real purchase', { livemode: false }, 'mismatch', null],
  ])('%s', (_, seen, state, tokens) => {
    expect(decidePurchase(BOUGHT, { ...PAID, ...seen }, [])).toMatchObject({ state, tokens });
  });

  test('what a provider says fits the books, however much it is, and nobody takes more than a price may be', () => {
    const nonsense = { ...PAID, paid: 9e15, withdrawn: 9e15, refunds: [refund(9e15), refund(9e15)] };
    const { paid, refunded, withdrawn } = decidePurchase(BOUGHT, nonsense, []);
    for (const figure of [paid, refunded, withdrawn]) expect(figure).toBe(2_147_483_647);
    const other = (amount: number) => isAcceptable(BOUGHT, { ...PAID, amount, paid: amount });
    expect([other(9_999), other(1_000_000_000), other(1_000_000_001)]).toEqual([true, true, false]);
  });

  test('a refund that is asked for takes its tokens, once, until the provider has decided', () => {
    const asked = [{ refundId: 'r', amount: 5_000 }];
    expect(decidePurchase(BOUGHT, PAID, asked)).toMatchObject({ state: 'paid', tokens: 50_000 });
    for (const state of ['pending', 'succeeded'] as const)
      expect(decidePurchase(BOUGHT, { ...PAID, refunds: [refund(5_000, state)] }, asked)).toMatchObject({
        tokens: 50_000,
      });
    expect(decidePurchase(BOUGHT, { ...PAID, refunds: [refund(5_000, 'failed')] }, asked)).toMatchObject({
      tokens: 110_000,
    });
    expect(decidePurchase(BOUGHT, { ...PAID, refunds: [refund(2_000, 'succeeded', 'other')] }, asked)).toMatchObject({
      tokens: 30_000,
    });
  });
});

const bought = fc.record({
  purchaseId: fc.constant('p'),
  tokens: fc.integer({ min: 1, max: 1_000_000_000_000 }),
  bonusTokens: fc.integer({ min: 0, max: 1_000_000_000 }),
  currency: fc.constant('KRW' as const),
  amount: fc.integer({ min: 1, max: 1_000_000_000 }),
  livemode: fc.constant(true),
});

test('more money kept is never fewer tokens, and all of it is all of them', () => {
  fc.assert(
    fc.property(bought, fc.nat(1_000_000_000), fc.nat(1_000_000_000), (pack, a, b) => {
      expect(tokensFor(pack, Math.min(a, b))).toBeLessThanOrEqual(tokensFor(pack, Math.max(a, b)));
      expect(tokensFor(pack, pack.amount)).toBe(pack.tokens + pack.bonusTokens);
      expect(tokensFor(pack, 0)).toBe(0);
    }),
  );
});

test("a person's refund never takes tokens that are spent, and never gives back more than was paid", () => {
  fc.assert(
    fc.property(bought, fc.double({ min: 0, max: 1, noNaN: true }), fc.array(fc.nat(100)), (pack, share, percents) => {
      let kept = pack.amount;
      const spent = Math.floor(tokensFor(pack, kept) * share);
      for (const percent of percents) {
        const given = tokensFor(pack, kept);
        const unspent = Math.max(0, Math.floor(((given - spent) * percent) / 100));
        const { tokens, amount } = refundFor(pack, { unspent, kept });
        expect(tokens).toBeLessThanOrEqual(unspent);
        expect(amount).toBeLessThanOrEqual(kept);
        kept -= amount;
        expect(tokensFor(pack, kept)).toBe(given - tokens);
        expect(tokensFor(pack, kept)).toBeGreaterThanOrEqual(Math.min(spent, given));
      }
    }),
  );
});

test.each([
  ['nothing is spent', 110_000, { tokens: 110_000, amount: 10_000 }],
  ['half of it is spent', 55_000, { tokens: 55_000, amount: 4_500 }],
  ['only what was free is left', 10_000, NOTHING],
  ['all is spent', 0, NOTHING],
])('what a person has back when %s', (_, unspent, refundable) => {
  expect(refundFor(BOUGHT, { unspent, kept: 10_000 })).toEqual(refundable);
});

test('what is left of the balance belongs to the newest purchases', () => {
  expect(unspentOf({ balance: 150, later: 0, given: 100 })).toBe(100);
  expect(unspentOf({ balance: 150, later: 100, given: 100 })).toBe(50);
  expect(unspentOf({ balance: 50, later: 100, given: 100 })).toBe(0);
});
