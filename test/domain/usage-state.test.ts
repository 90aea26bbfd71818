import { describe, expect, test } from '@jest/globals';
import type { Balance } from '../../domain/balance.ts';
import { warningSentence } from '../../domain/messages.ts';
import { decideWarning, describeUsage } from '../../domain/usage-state.ts';

const period = { label: '2026-11', startsAt: 1, endsAt: 2 };

function stateAt(used: number, change: Partial<Balance> & { heldTokens?: number } = {}) {
  const { heldTokens = 0, ...balance } = change;
  return describeUsage({
    period,
    heldTokens,
    recentDebits: { count: 0, sum: 0 },
    balance: {
      allowance: 100_000,
      purchased: 0,
      debt: 0,
      spentPurchased: 0,
      spentAllowance: Math.min(used, 100_000),
      overage: Math.max(0, used - 100_000),
      used,
      ...balance,
    },
  });
}

describe('the usage state', () => {
  test('is what the account has, used and may still do', () => {
    expect(
      stateAt(30_000, { purchased: 5_000, spentPurchased: 15_000, spentAllowance: 15_000, heldTokens: 2_500 }),
    ).toEqual({
      period,
      allowanceTokens: 100_000,
      purchasedTokens: 5_000,
      totalAvailable: 120_000,
      usedTokens: 30_000,
      heldTokens: 2_500,
      remainingTokens: 90_000,
      usagePercent: 25,
      level: 'NORMAL',
      canSend: true,
      estimatedTurns: 100,
      resetsAt: 2,
    });
  });

  test('remaining is never below 0', () => {
    expect(stateAt(103_000)).toMatchObject({
      remainingTokens: 0,
      usagePercent: 103,
      estimatedTurns: 0,
      canSend: true,
      level: 'CRITICAL',
    });
  });

  test('canSend is false exactly when the level is BLOCKED, and holds do not count', () => {
    expect(stateAt(104_600, { heldTokens: 400 })).toMatchObject({ level: 'CRITICAL', canSend: true });
    expect(stateAt(104_601)).toMatchObject({ level: 'BLOCKED', canSend: false });
  });
});

describe('a warning', () => {
  test('the example of the policy: 90,000 of 100,000 used', () => {
    const warning = decideWarning(stateAt(90_000));
    expect(warning).toEqual({ level: 'WARNING', percentLeft: 10, remainingTokens: 10_000, estimatedTurns: 11 });
    expect(warning && warningSentence(warning, 'ko')).toBe('토큰이 10% 남았습니다.');
    expect(warning && warningSentence(warning, 'en')).toBe('10% of your tokens are left.');
  });

  test('89,999 used carries none', () => {
    expect(decideWarning(stateAt(0))).toBeNull();
    expect(decideWarning(stateAt(80_000))).toBeNull();
    expect(decideWarning(stateAt(89_999))).toBeNull();
  });

  test.each([
    [90_001, 'WARNING', 10],
    [90_010, 'WARNING', 9],
    [94_999, 'WARNING', 5],
    [95_000, 'CRITICAL', 5],
    [95_001, 'CRITICAL', 5],
    [95_010, 'CRITICAL', 4],
    [99_000, 'CRITICAL', 1],
    [99_010, 'CRITICAL', 0],
    [100_000, 'CRITICAL', 0],
    [103_000, 'CRITICAL', 0],
    [105_000, 'BLOCKED', 0],
    [180_000, 'BLOCKED', 0],
  ])(
    'at %i of 100,000 is %s and says %i %%: the shown percentage from 100, rounded down, never below 0',
    (used, level, percentLeft) => {
      expect(decideWarning(stateAt(used))).toMatchObject({ level, percentLeft });
    },
  );

  test('0 % has a sentence of its own in both languages, which names no percentage', () => {
    expect(warningSentence({ percentLeft: 0 }, 'ko')).toBe(
      '토큰을 모두 사용했습니다. 이어서 사용하려면 토큰을 구매하세요.',
    );
    expect(warningSentence({ percentLeft: 0 }, 'en')).toBe('Your tokens are used up. Buy tokens to go on.');
  });
});
