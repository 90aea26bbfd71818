import { expect, test } from '@jest/globals';
import { taxInside } from '../../../domain/payments/money.ts';

test.each([
  [15_000, 1_364],
  [30_000, 2_727],
  [37_400, 3_400],
])('the tax inside %d won is what Toss Payments says: %d', (amount, tax) => {
  expect(taxInside({ amount, currency: 'KRW' })).toBe(tax);
});

test('of another currency nobody knows the tax', () => {
  expect(taxInside({ amount: 999, currency: 'USD' })).toBeNull();
});
