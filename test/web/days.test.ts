import { expect, test } from '@jest/globals';
import { dayAfter, startOfDay } from '../../web/admin/turns/days.ts';
import { filterBody, filterQuery, isFiltered, NO_FILTER } from '../../web/admin/turns/turn-filter.ts';

test.each([
  ['2026-11-25', 'Asia/Seoul', '2026-11-24T15:00:00.000Z'],
  ['2026-11-25', 'UTC', '2026-11-25T00:00:00.000Z'],
  // The days on which New York's clocks change begin before they do.
  ['2026-03-08', 'America/New_York', '2026-03-08T05:00:00.000Z'],
  ['2026-03-09', 'America/New_York', '2026-03-09T04:00:00.000Z'],
  ['2026-11-02', 'America/New_York', '2026-11-02T05:00:00.000Z'],
  // Havana leaves midnight out: the day begins at one o'clock.
  ['2026-03-08', 'America/Havana', '2026-03-08T05:00:00.000Z'],
  ['2026-01-01', 'Pacific/Kiritimati', '2025-12-31T10:00:00.000Z'],
  ['2026-01-01', 'Pacific/Pago_Pago', '2026-01-01T11:00:00.000Z'],
])('the %s of %s begins at %s', (day, timeZone, instant) => {
  expect(startOfDay(day, timeZone)).toBe(instant);
});

test('the day after follows the calendar, and what is no day stays for the API to refuse', () => {
  expect([dayAfter('2026-02-28'), dayAfter('2028-02-28'), dayAfter('2026-12-31')]).toEqual([
    '2026-03-01',
    '2028-02-29',
    '2027-01-01',
  ]);
  for (const none of ['', '2026-11', '2026-13-01', 'yesterday', '2026-11-25T03:00:00.000Z'])
    expect([dayAfter(none), startOfDay(none, 'Asia/Seoul')]).toEqual([none, none]);
});

test('a filter holds both of its days, as text in a query and with its numbers in a body', () => {
  const address = {
    from: '2026-11-24',
    to: '2026-11-25',
    userId: '7',
    replayed: 'false',
    code: 'model_timeout',
    cursor: 'x',
    replay: 'many',
  };
  const range = { from: '2026-11-23T15:00:00.000Z', to: '2026-11-25T15:00:00.000Z' };
  expect(filterQuery(address, 'Asia/Seoul')).toEqual({
    ...range,
    userId: '7',
    replayed: 'false',
    code: 'model_timeout',
  });
  expect(filterBody(address, 'Asia/Seoul')).toEqual({ ...range, userId: 7, replayed: false, code: 'model_timeout' });
  expect([isFiltered(address), isFiltered({ ...address, ...NO_FILTER })]).toEqual([true, false]);
});
