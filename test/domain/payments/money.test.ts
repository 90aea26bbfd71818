import { expect, test } from '@jest/globals';
import { decimalOf, sayMoney, taxInside, type Money } from '../../../domain/payments/money.ts';

test.each<[Money, string, string, string, number | null]>([
  [{ amount: 10_000, currency: 'KRW' }, '10000', '10,000원', '₩10,000', 909],
  [{ amount: 1_234_567, currency: 'KRW' }, '1234567', '1,234,567원', '₩1,234,567', 112_233],
  [{ amount: 999, currency: 'USD' }, '9.99', 'US$9.99', '$9.99', null],
  [{ amount: 5, currency: 'USD' }, '0.05', 'US$0.05', '$0.05', null],
  [{ amount: 123_456_789, currency: 'USD' }, '1234567.89', 'US$1,234,567.89', '$1,234,567.89', null],
])('%j', (money, decimal, ko, en, tax) => {
  expect([decimalOf(money), sayMoney(money, 'ko'), sayMoney(money, 'en'), taxInside(money)]).toEqual([
    decimal,
    ko,
    en,
    tax,
  ]);
});

test.each([
  [15_000, 1_364],
  [30_000, 2_727],
  [37_400, 3_400],
])('the tax inside %d won is what Toss Payments says: %d', (amount, tax) => {
  expect(taxInside({ amount, currency: 'KRW' })).toBe(tax);
});
