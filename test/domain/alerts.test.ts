import { describe, expect, test } from '@jest/globals';
import { decideAlert, isAtLeast } from '../../domain/alerts.ts';
import { alertText, type AlertFigures } from '../../domain/messages.ts';

const HOUR = 3_600_000;
const at = Date.parse('2026-11-15T12:00:00+09:00');

test.each([
  ['the first of its level', null, at, { nth: 1 }],
  ['a moment later', { nth: 1, at }, at + 1, null],
  ['a millisecond short of 24 hours', { nth: 1, at }, at + 24 * HOUR - 1, null],
  ['24 hours later', { nth: 1, at }, at + 24 * HOUR, { nth: 2 }],
  ['and again', { nth: 2, at: at + 24 * HOUR }, at + 48 * HOUR, { nth: 3 }],
])('an alert, %s', (_, last, now, decided) => {
  expect(decideAlert(last, now)).toEqual(decided);
});

test('CRITICAL is at least WARNING, WARNING is not CRITICAL, and nothing is below both', () => {
  expect([
    isAtLeast('CRITICAL', 'WARNING'),
    isAtLeast('WARNING', 'CRITICAL'),
    isAtLeast(null, 'WARNING'),
    isAtLeast('WARNING', null),
    isAtLeast(null, null),
  ]).toEqual([true, false, false, true, true]);
});

describe('an alert says percent used, tokens left, when the allowance resets on the reader’s clock, and where to buy (G21)', () => {
  const figures: AlertFigures = {
    level: 'WARNING',
    usagePercent: 92.5,
    remainingTokens: 7_500,
    resetsAt: Date.parse('2026-12-01T00:00:00+09:00'),
    timeZone: 'Asia/Seoul',
    purchaseUrl: 'https://shop.example/buy',
  };

  test('in Korean', () => {
    expect(alertText(figures, 'ko')).toEqual({
      title: '토큰의 92.5%를 사용했습니다',
      body: '이번 달 토큰의 92.5%를 사용했습니다. 남은 토큰은 7,500개입니다. 12월 1일 0시(서울)에 초기화됩니다. 토큰 구매: https://shop.example/buy',
    });
  });

  test('in English, on New York’s clock', () => {
    expect(alertText({ ...figures, timeZone: 'America/New_York' }, 'en')).toEqual({
      title: '92.5% of your tokens are used',
      body: 'You have used 92.5% of this month’s tokens. 7,500 tokens are left; the allowance resets on Nov 30 at 10:00 AM (New York time). Buy tokens: https://shop.example/buy',
    });
  });

  test('that it is urgent, and that nothing is left', () => {
    const none = { ...figures, level: 'CRITICAL', usagePercent: 105, remainingTokens: 0 } as const;
    expect(alertText(none, 'ko').title).toBe('긴급: 토큰의 105%를 사용했습니다');
    expect(alertText(none, 'ko').body).toContain('남은 토큰이 없습니다.');
    expect(alertText(none, 'en').body).toContain('No tokens are left; the allowance resets');
  });
});
