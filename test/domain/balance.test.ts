import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  applyPosting,
  decideAdjustment,
  decideDebit,
  decideGrant,
  decideReversal,
  MAX_TOKENS_PER_ENTRY,
  openBalance,
  type Balance,
} from '../../domain/balance.ts';

const FRESH: Balance = {
  allowance: 100,
  purchased: 0,
  debt: 0,
  spentPurchased: 0,
  spentAllowance: 0,
  overage: 0,
  used: 0,
};
const after = (balance: Balance, posting: Parameters<typeof applyPosting>[1]) => applyPosting(balance, posting);

describe('a debit', () => {
  test('takes purchased tokens first and leaves the allowance', () => {
    const balance = { ...FRESH, purchased: 50 };
    expect(after(balance, decideDebit(balance, 50))).toEqual({ ...FRESH, spentPurchased: 50, used: 50 });
  });

  test('spans purchased, allowance and overage (G24)', () => {
    const balance = { ...FRESH, purchased: 50 };
    expect(after(balance, decideDebit(balance, 157))).toEqual({
      allowance: 100,
      purchased: 0,
      debt: 0,
      spentPurchased: 50,
      spentAllowance: 100,
      overage: 7,
      used: 157,
    });
  });

  test('takes only what the allowance has left', () => {
    const balance = { ...FRESH, spentAllowance: 90, used: 90 };
    expect(decideDebit(balance, 11)).toMatchObject({ spentAllowance: 10, overage: 1, purchased: 0, used: 11 });
  });
});

describe('a grant', () => {
  const over: Balance = { ...FRESH, spentAllowance: 100, overage: 30, used: 130, debt: 20 };

  test('pays overage, then debt; the rest is purchased', () => {
    expect(after(over, decideGrant(over, 60))).toEqual({
      allowance: 100,
      purchased: 10,
      debt: 0,
      spentPurchased: 30,
      spentAllowance: 100,
      overage: 0,
      used: 130,
    });
  });

  test('of less than the overage leaves the rest of it and all debt', () => {
    expect(after(over, decideGrant(over, 29))).toMatchObject({
      purchased: 0,
      debt: 20,
      spentPurchased: 29,
      overage: 1,
      used: 130,
    });
  });

  test('of exactly the overage leaves the debt; one more token pays one of it', () => {
    expect(after(over, decideGrant(over, 30))).toMatchObject({ overage: 0, debt: 20, purchased: 0 });
    expect(after(over, decideGrant(over, 31))).toMatchObject({ overage: 0, debt: 19, purchased: 0 });
  });

  test('with neither is purchased whole: the control', () => {
    expect(after(FRESH, decideGrant(FRESH, 60))).toEqual({ ...FRESH, purchased: 60 });
  });
});

describe('a reversal', () => {
  test('takes from the purchased balance down to 0; the rest is debt', () => {
    const balance = { ...FRESH, purchased: 40, spentPurchased: 60, used: 60 };
    expect(after(balance, decideReversal(balance, 100))).toEqual({ ...balance, purchased: 0, debt: 60 });
  });

  test('of no more than the balance makes no debt', () => {
    const balance = { ...FRESH, purchased: 40 };
    expect(after(balance, decideReversal(balance, 40))).toEqual({ ...FRESH, purchased: 0, debt: 0 });
  });

  test('never touches the allowance, nor what was used', () => {
    expect(decideReversal(FRESH, 100)).toEqual({
      purchased: 0,
      debt: 100,
      spentPurchased: 0,
      spentAllowance: 0,
      overage: 0,
      used: 0,
    });
  });
});

describe('an adjustment', () => {
  test('upwards is a debit', () => {
    const balance = { ...FRESH, purchased: 50 };
    expect(decideAdjustment(balance, 155)).toEqual(decideDebit(balance, 155));
  });

  test('downwards undoes overage, then allowance, then purchased', () => {
    const balance: Balance = {
      allowance: 100,
      purchased: 0,
      debt: 0,
      spentPurchased: 50,
      spentAllowance: 100,
      overage: 7,
      used: 157,
    };
    expect(after(balance, decideAdjustment(balance, 152))).toMatchObject({
      overage: 2,
      spentAllowance: 100,
      spentPurchased: 50,
      used: 152,
    });
    expect(after(balance, decideAdjustment(balance, 150))).toMatchObject({
      overage: 0,
      spentAllowance: 100,
      spentPurchased: 50,
      used: 150,
    });
    expect(after(balance, decideAdjustment(balance, 60))).toMatchObject({
      overage: 0,
      spentAllowance: 10,
      spentPurchased: 50,
      purchased: 0,
      used: 60,
    });
    expect(after(balance, decideAdjustment(balance, 0))).toEqual({ ...FRESH, purchased: 50 });
  });

  test('reaches totals beyond what one grant may carry', () => {
    const balance = { ...FRESH, purchased: 3 * MAX_TOKENS_PER_ENTRY };
    expect(after(balance, decideAdjustment(balance, 2 * MAX_TOKENS_PER_ENTRY))).toMatchObject({
      used: 2 * MAX_TOKENS_PER_ENTRY,
      purchased: MAX_TOKENS_PER_ENTRY,
    });
  });

  test.each([-1, 0.5, Number.NaN])('to %d is refused', (wanted) => {
    expect(() => decideAdjustment(FRESH, wanted)).toThrow(RangeError);
  });
});

test('a new period starts at used 0: purchased tokens and debt carry over, overage is forgiven, the allowance is the new one', () => {
  const last: Balance = {
    allowance: 100,
    purchased: 9,
    debt: 4,
    spentPurchased: 50,
    spentAllowance: 100,
    overage: 7,
    used: 157,
  };
  expect(openBalance(last, 300)).toEqual({
    allowance: 300,
    purchased: 9,
    debt: 4,
    spentPurchased: 0,
    spentAllowance: 0,
    overage: 0,
    used: 0,
  });
  expect(openBalance(null, 300)).toEqual({
    allowance: 300,
    purchased: 0,
    debt: 0,
    spentPurchased: 0,
    spentAllowance: 0,
    overage: 0,
    used: 0,
  });
});

test.each([0, -1, 1.5, Number.NaN, MAX_TOKENS_PER_ENTRY + 1])(
  'an amount of %d is refused by debit, grant and reversal',
  (tokens) => {
    for (const decide of [decideDebit, decideGrant, decideReversal])
      expect(() => decide(FRESH, tokens)).toThrow(RangeError);
  },
);

test.each([1, MAX_TOKENS_PER_ENTRY])('an amount of %d passes: the control', (tokens) => {
  for (const decide of [decideDebit, decideGrant, decideReversal]) expect(() => decide(FRESH, tokens)).not.toThrow();
});

const amounts = fc.integer({ min: 1, max: 300 });
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('debit' as const), tokens: amounts }),
    fc.record({ kind: fc.constant('grant' as const), tokens: amounts }),
    fc.record({ kind: fc.constant('reversal' as const), tokens: amounts }),
    fc.record({ kind: fc.constant('adjust' as const), tokens: fc.integer({ min: 0, max: 400 }) }),
    fc.record({ kind: fc.constant('reset' as const), tokens: fc.constant(0) }),
  ),
  { maxLength: 40 },
);

test('any sequence keeps: parts ≥ 0, used is their sum, overage only over empty buckets, no purchased token lost or invented', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      let balance = FRESH;
      let owned = 0; // purchased + spent in this period − debt
      for (const { kind, tokens } of sequence) {
        if (kind === 'debit') balance = after(balance, decideDebit(balance, tokens));
        if (kind === 'adjust') balance = after(balance, decideAdjustment(balance, tokens));
        if (kind === 'grant') {
          balance = after(balance, decideGrant(balance, tokens));
          owned += tokens;
        }
        if (kind === 'reversal') {
          balance = after(balance, decideReversal(balance, tokens));
          owned -= tokens;
        }
        if (kind === 'reset') {
          owned -= balance.spentPurchased;
          balance = openBalance(balance, 100);
        }
        for (const part of Object.values(balance)) expect(part).toBeGreaterThanOrEqual(0);
        expect(balance.used).toBe(balance.spentPurchased + balance.spentAllowance + balance.overage);
        if (balance.overage > 0)
          expect([balance.purchased, balance.allowance - balance.spentAllowance]).toEqual([0, 0]);
        expect(balance.purchased + balance.spentPurchased - balance.debt).toBe(owned);
        const total = balance.allowance + balance.purchased + balance.spentPurchased;
        expect(total - balance.used).toBe(
          balance.purchased + balance.allowance - balance.spentAllowance - balance.overage,
        );
      }
    }),
    { numRuns: 500 },
  );
});
