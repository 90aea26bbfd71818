import { expect, test } from '@jest/globals';
import { groupByDay } from '../../web/chat/conversations/groups.ts';

const NOW = Date.parse('2026-11-30T09:00:00+09:00');
const groups = (instants: readonly string[], timeZone = 'Asia/Seoul') =>
  groupByDay(
    instants.map((updatedAt) => ({ updatedAt })),
    { timeZone, now: NOW },
  ).map(({ group, items }) => [group, items.length]);

test('conversations stand under the days of the person’s own zone', () => {
  expect(
    groups([
      '2026-11-30T00:30:00+09:00',
      '2026-11-29T23:59:00+09:00',
      '2026-11-29T00:00:00+09:00',
      '2026-11-28T23:59:00+09:00',
      '2026-11-24T00:00:00+09:00',
      '2026-11-23T23:59:00+09:00',
      '2025-01-01T00:00:00Z',
    ]),
  ).toEqual([
    ['today', 1],
    ['yesterday', 2],
    ['week', 2],
    ['earlier', 2],
  ]);
});

test('the same instant is another day elsewhere', () => {
  const instant = ['2026-11-29T23:30:00+09:00'];
  expect(groups(instant)).toEqual([['yesterday', 1]]);
  expect(groups(instant, 'America/New_York')).toEqual([['today', 1]]);
});

test('what another process’s clock has put into the future is today’s', () => {
  expect(groups(['2026-12-01T00:00:10+09:00'])).toEqual([['today', 1]]);
});
