import { expect, test } from '@jest/globals';
import { zoneName as zoneNameOfMails } from '../../domain/shown-time.ts';
import { resolveTimeZone } from '../../domain/time-zones.ts';
import { amountInWords } from '../../web/admin/users/amount-in-words.ts';
import { bodyOf } from '../../web/notifications/body.ts';
import { named, zonesWith } from '../../web/preferences/zones.ts';
import { isComposingKey } from '../../web/ui/keys/composing-key.ts';
import { momentsIn } from '../../web/usage/moments.ts';
import { zoneName } from '../../web/usage/zone-name.ts';
import { axisTop, daysIn, monthsFrom } from '../../web/usage/history/months.ts';

const NOW = Date.parse('2026-11-30T23:40:00+09:00');
const ko = momentsIn('ko', 'Asia/Seoul', () => NOW);
const en = momentsIn('en', 'Asia/Seoul', () => NOW);

test.each([
  ['2026-12-01T00:00:00+09:00', '12월 1일 0시', 'Dec 1 at midnight'],
  ['2026-12-01T00:05:00+09:00', '12월 1일 오전 0:05', 'Dec 1 at 12:05 AM'],
  ['2026-12-01T12:00:00+09:00', '12월 1일 오후 12:00', 'Dec 1 at 12:00 PM'],
  ['2027-01-01T15:07:00+09:00', '2027년 1월 1일 오후 3:07', 'Jan 1, 2027 at 3:07 PM'],
])('a moment has one style, and midnight is never 12:00: %s', (instant, korean, english) => {
  expect([ko.moment(instant), en.moment(instant)]).toEqual([korean, english]);
});

test.each([
  ['2026-11-30T23:40:10+09:00', '1분 후', 'in 1 minute'],
  ['2026-12-01T00:00:00+09:00', '20분 후', 'in 20 minutes'],
  ['2026-12-01T05:00:00+09:00', '5시간 후', 'in 5 hours'],
  ['2026-12-06T23:40:00+09:00', '6일 후', 'in 6 days'],
])('how long it is until then is never "this hour": %s', (instant, korean, english) => {
  expect([ko.until(instant), en.until(instant)]).toEqual([korean, english]);
});

test.each([
  [5_000_000_000, '50억', '5 billion'],
  [12_345, '1만 2,345', '12.345 thousand'],
  [1_000_200_000_001, '1조 2억 1', '1.000200000001 trillion'],
  [0, '0', '0'],
])('%d tokens are said exactly', (amount, korean, english) => {
  expect([amountInWords(amount, 'ko'), amountInWords(amount, 'en')]).toEqual([korean, english]);
});

test('months are counted over the ends of years, and an axis ends at a round number', () => {
  expect([monthsFrom('2026-01', -1), monthsFrom('2026-12', 1), monthsFrom('2026-11', -24)]).toEqual([
    '2025-12',
    '2027-01',
    '2024-11',
  ]);
  expect([daysIn('2028-02'), daysIn('2026-12')]).toEqual([29, 31]);
  expect([1, 30, 92_000, 100_000, 510_000].map(axisTop)).toEqual([1, 50, 100_000, 100_000, 1_000_000]);
});

test("a notification's text has no address beside the button that has it, and any other text stays", () => {
  const purchaseUrl = 'https://turnkeeper.example/purchase';
  expect([
    bodyOf({ body: `남은 토큰은 10개입니다. 토큰 구매: ${purchaseUrl}`, purchaseUrl }),
    bodyOf({ body: `Resets on Dec 1 at midnight (Seoul time). Buy tokens: ${purchaseUrl}`, purchaseUrl }),
    bodyOf({ body: 'https://elsewhere.example 안내', purchaseUrl }),
    bodyOf({ body: '안내', purchaseUrl: '' }),
  ]).toEqual([
    '남은 토큰은 10개입니다.',
    'Resets on Dec 1 at midnight (Seoul time).',
    'https://elsewhere.example 안내',
    '안내',
  ]);
});

test('a key that ends a syllable is known in Safari too, which tells of it afterwards', () => {
  expect([
    isComposingKey({ isComposing: true, keyCode: 13 }),
    isComposingKey({ isComposing: false, keyCode: 229 }),
    isComposingKey({ isComposing: false, keyCode: 13 }),
  ]).toEqual([true, true, false]);
});

test('a time zone is called as people call it, by the pages as by the mails, and the server takes each that can be chosen', () => {
  const ids = [
    'Asia/Seoul',
    'America/New_York',
    'America/Argentina/Buenos_Aires',
    'Asia/Hong_Kong',
    'Etc/GMT+5',
    'UTC',
  ];
  expect(ids.map((id) => [zoneName(id, 'ko'), zoneName(id, 'en')])).toEqual([
    ['서울 시간', 'Seoul time'],
    ['뉴욕 시간', 'New York time'],
    ['부에노스 아이레스 시간', 'Buenos Aires time'],
    ['홍콩 시간', 'Hong Kong time'],
    ['GMT-5', 'GMT-5'],
    ['UTC', 'UTC'],
  ]);
  const all = zonesWith('Etc/GMT+5');
  expect(all.length).toBeGreaterThan(400);
  expect(all.filter((id) => resolveTimeZone(id) !== id)).toEqual([]);
  for (const locale of ['ko', 'en'] as const) {
    expect(all.filter((id) => zoneName(id, locale) !== zoneNameOfMails(id, locale))).toEqual([]);
    expect(new Set(all.map((id) => named(id, locale).label)).size).toBe(all.length);
  }
  expect([named('Asia/Seoul', 'ko').label, named('UTC', 'ko').label]).toEqual(['서울 시간 (Asia/Seoul)', 'UTC']);
});
