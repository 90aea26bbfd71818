import { describe, expect, test } from '@jest/globals';
import { isSwitchable, NOTIFICATION_KINDS, type NotificationKind } from '../../domain/channels/kinds.ts';
import { layOut } from '../../domain/channels/layout.ts';
import { letterOf, type FiguresOf, type Told } from '../../domain/channels/letters.ts';
import { decideNext, type AttemptOutcome } from '../../domain/channels/outcome.ts';
import { LOCALES } from '../../domain/messages.ts';

const AT = Date.parse('2026-12-01T00:00:00+09:00');
const purchase = {
  purchaseId: '0198c5a0-0000-7000-8000-000000000000',
  amount: 19_900,
  currency: 'KRW',
  timeZone: 'Asia/Seoul',
} as const;
const FIGURES: FiguresOf = {
  'usage.alert': {
    level: 'CRITICAL',
    usagePercent: 104.99,
    remainingTokens: 0,
    resetsAt: AT,
    timeZone: 'America/Argentina/ComodRivadavia',
    purchaseUrl: 'https://chat.example/purchase?from=<mail>&x="1"',
  },
  'usage.reset': {
    period: '2026-12',
    allowanceTokens: 100_000,
    purchasedTokens: 0,
    resetsAt: AT,
    timeZone: 'Asia/Seoul',
  },
  'usage.report': { label: '2026-09', turns: 1_204, usedTokens: 1_094_231, usagePercent: 94.23 },
  'purchase.deposit': { ...purchase, dueAt: AT },
  'purchase.paid': { ...purchase, tokens: 500_000, bonusTokens: 25_000, paidAt: AT + 90 * 60_000 },
  'purchase.failed': purchase,
  'purchase.refunded': { ...purchase, amount: 1_234_05, currency: 'USD' },
  'people.invited': { invitationId: 'i', expiresAt: AT, timeZone: 'Asia/Seoul' },
  'topup.declined': { ...purchase, decline: 'insufficient_funds', nextTryAt: AT },
  'topup.paused': { amount: 19_900, currency: 'KRW', pause: 'authentication_required' },
  'topup.reminder': { packId: 'small', remainingTokens: 1_234, tokens: 100_000, amount: 4_900, currency: 'KRW' },
  'security.endpoint': { endpointId: 'e', host: 'hooks.example.com' },
  'security.address': { changeId: 'c', which: 'new', email: '"><script>alert(1)</script>@example.com' },
};

function mailOf<Kind extends NotificationKind>(kind: Kind, locale: 'ko' | 'en') {
  const told = { kind, figures: FIGURES[kind] } as unknown as Told;
  return layOut(letterOf(told, locale, '/confirm-address?t=x'), locale, {
    serviceName: 'Turnkeeper',
    publicUrl: 'https://chat.example',
    unsubscribeUrl: isSwitchable(kind) ? 'https://chat.example/unsubscribe?t=x' : null,
  });
}

describe.each(LOCALES)('letters in %s', (locale) => {
  test.each(NOTIFICATION_KINDS)('%s has a short subject, a link of ours, and no markup of what it tells', (kind) => {
    const { subject, text, html } = mailOf(kind, locale);
    expect(subject.startsWith('[Turnkeeper] ')).toBe(true);
    // What is longer is cut off on a phone.
    expect([...subject].length).toBeLessThanOrEqual(40);
    expect(subject).not.toMatch(/[\r\n]|…$/);
    expect(text).not.toMatch(/undefined|NaN|\[object|null/);
    expect(text).toMatch(/: https:\/\/chat\.example\//);
    expect(html).toContain('<a href="https://chat.example/');
    expect(html).not.toMatch(/<script|undefined|NaN/);
    expect(html).toContain(`<html lang="${locale}">`);
    // Whole words of the other language would be a sentence that was forgotten.
    if (locale === 'en') expect(text).not.toMatch(/[가-힣]/);
    else expect(text).toMatch(/[가-힣]/);
    expect(text.includes('/unsubscribe')).toBe(isSwitchable(kind));
  });
});

test('figures are told as they are read there: won and dollars, hours on the reader’s clock', () => {
  expect(mailOf('purchase.paid', 'ko').text).toContain('결제 금액(부가세 포함): 19,900원');
  expect(mailOf('purchase.paid', 'ko').text).toContain('결제 시각: 12월 1일 1시 30분(서울)');
  expect(mailOf('purchase.refunded', 'ko').text).toContain('환불 금액: $1,234.05');
  expect(mailOf('purchase.deposit', 'en').text).toContain('Amount: KRW 19,900');
  expect(mailOf('usage.reset', 'ko').text).toContain('다음 초기화: 12월 1일 0시(서울)');
  expect(mailOf('usage.alert', 'ko').text).toContain('11월 30일 12시(카타마르카 시간)');
  expect(mailOf('usage.alert', 'ko').text).toContain('남은 토큰이 없어');
});

describe('what follows an attempt', () => {
  const after = (outcome: AttemptOutcome['outcome'], minutes: number, unknowns = 0) =>
    decideNext({ outcome }, { unknowns, elapsedMs: minutes * 60_000, spread: 0 });
  test('it is tried again after as long as it has waited, 1 minute to 6 hours, for 3 days', () => {
    expect([0, 1, 2, 4, 500, 4_319].map((minutes) => after('later', minutes))).toEqual(
      [1, 1, 2, 4, 360, 360].map((minutes) => ({ state: 'pending', pauseMs: minutes * 60_000 })),
    );
    expect(after('later', 4_320)).toEqual({ state: 'failed', error: 'gave_up' });
  });
  test('an outcome that nobody knows is tried again 3 times', () => {
    expect([1, 2, 3, 4].map((unknowns) => after('unknown', 0, unknowns).state)).toEqual([
      'pending',
      'pending',
      'pending',
      'failed',
    ]);
  });
  test('what was taken or refused is over', () => {
    expect([after('accepted', 0), after('refused', 0)]).toEqual([
      { state: 'delivered' },
      { state: 'failed', error: 'refused' },
    ]);
  });
});
