import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  dayOf,
  followingMonth,
  monthOf,
  nearestDayOf,
  nextPeriod,
  startOfDay,
  startOfMonth,
  type Period,
} from '../../domain/period.ts';

const at = (text: string) => Date.parse(text);
const iso = (instant: number) => new Date(instant).toISOString();
const show = ({ label, startsAt, endsAt }: Period) => [label, iso(startsAt), iso(endsAt)];
const DAY = 86_400_000;

describe('the first midnight of a month', () => {
  test.each([
    ['2026-12', 'Asia/Seoul', '2026-11-30T15:00:00.000Z'],
    ['2026-11', 'America/New_York', '2026-11-01T04:00:00.000Z'],
    ['2026-12', 'America/New_York', '2026-12-01T05:00:00.000Z'],
    ['2026-10', 'Australia/Sydney', '2026-09-30T14:00:00.000Z'],
    ['2026-11', 'Australia/Sydney', '2026-10-31T13:00:00.000Z'],
    ['2026-12', 'Asia/Kathmandu', '2026-11-30T18:15:00.000Z'],
    ['2026-06', 'Africa/Cairo', '2026-05-31T21:00:00.000Z'],
    // Clocks went back at midnight of 1 November: 31 October had a second 23rd hour, so November began an hour later.
    ['2024-11', 'Africa/Cairo', '2024-10-31T22:00:00.000Z'],
    // Clocks went forward at midnight of 1 October: that day began at 01:00.
    ['2017-10', 'America/Asuncion', '2017-10-01T04:00:00.000Z'],
    // The midnight hour of 1 November comes twice: the first one counts.
    ['2026-11', 'America/Havana', '2026-11-01T04:00:00.000Z'],
    ['2026-12', 'Pacific/Kiritimati', '2026-11-30T10:00:00.000Z'],
    ['2026-12', 'Etc/GMT+12', '2026-12-01T12:00:00.000Z'],
    ['2026-12', 'UTC', '2026-12-01T00:00:00.000Z'],
  ])('%s in %s begins %s', (label, zone, expected) => {
    expect(iso(startOfMonth(label, zone))).toBe(expected);
    expect(iso(startOfDay(`${label}-01`, zone))).toBe(expected);
  });

  test.each([
    'Asia/Seoul',
    'America/New_York',
    'Australia/Sydney',
    'Asia/Kathmandu',
    'Africa/Cairo',
    'America/Havana',
    'Pacific/Kiritimati',
    'America/St_Johns',
    'Asia/Beirut',
  ])('in %s the millisecond before is still the month before, for 60 months', (zone) => {
    for (let label = '2024-01'; label < '2029-01'; label = followingMonth(label)) {
      const start = startOfMonth(label, zone);
      expect(monthOf(start, zone)).toBe(label);
      expect(followingMonth(monthOf(start - 1, zone))).toBe(label);
    }
  });
});

test.each(['UTC', 'Asia/Seoul', 'America/New_York'])(
  'in %s a day of any year with a calendar begins after the day before, and one without is refused',
  (zone) => {
    for (const day of ['0002-03-01', '0099-12-31', '0100-01-01', '1969-12-31', '9999-12-30']) {
      const start = startOfDay(day, zone);
      expect([dayOf(start, zone), dayOf(start - 1, zone) < day]).toEqual([day, true]);
    }
    expect(startOfDay('0099-12-31', 'UTC')).toBe(at('0099-12-31T00:00:00Z'));
    for (const day of ['0000-01-01', '-000001-01-01', '+010000-01', '+010000-01-01', 'no day'])
      expect(() => startOfDay(day, zone)).toThrow();
  },
);

describe('an account’s first period', () => {
  test('23:59:59.999 in Seoul is the old month, 00:00:00 the new one: half-open', () => {
    const midnight = at('2026-12-01T00:00:00+09:00');
    expect(nextPeriod(null, midnight - 1, 'Asia/Seoul')).toEqual({
      label: '2026-11',
      startsAt: at('2026-11-01T00:00:00+09:00'),
      endsAt: midnight,
    });
    expect(nextPeriod(null, midnight, 'Asia/Seoul')).toEqual({
      label: '2026-12',
      startsAt: midnight,
      endsAt: at('2027-01-01T00:00:00+09:00'),
    });
  });

  test('nine hours lie between the months of Seoul and UTC', () => {
    const now = at('2026-11-30T20:00:00Z');
    expect(nextPeriod(null, now, 'Asia/Seoul').label).toBe('2026-12');
    expect(nextPeriod(null, now, 'UTC').label).toBe('2026-11');
  });

  test.each([
    ['2027-02', 28],
    ['2028-02', 29],
    ['2026-11', 30],
    ['2026-12', 31],
  ])('%s has %i days in Seoul', (label, days) => {
    const period = nextPeriod(null, startOfMonth(label, 'Asia/Seoul'), 'Asia/Seoul');
    expect(period.endsAt - period.startsAt).toBe(days * DAY);
  });

  test('daylight saving makes a month an hour longer or shorter', () => {
    const lengthOf = (now: string, zone: string) => {
      const { startsAt, endsAt } = nextPeriod(null, at(now), zone);
      return (endsAt - startsAt) / 3_600_000;
    };
    expect(lengthOf('2026-11-15T12:00:00Z', 'America/New_York')).toBe(30 * 24 + 1);
    expect(lengthOf('2026-03-15T12:00:00Z', 'America/New_York')).toBe(31 * 24 - 1);
    expect(lengthOf('2026-10-15T12:00:00Z', 'Australia/Sydney')).toBe(31 * 24 - 1);
    expect(lengthOf('2026-10-15T12:00:00Z', 'Africa/Cairo')).toBe(31 * 24 + 1);
  });
});

describe('the period after another', () => {
  const seoul = nextPeriod(null, at('2026-11-10T00:00:00Z'), 'Asia/Seoul');

  test('starts where the last ended', () => {
    expect(show(nextPeriod(seoul, seoul.endsAt, 'Asia/Seoul'))).toEqual([
      '2026-12',
      '2026-11-30T15:00:00.000Z',
      '2026-12-31T15:00:00.000Z',
    ]);
  });

  test('goes over the end of a year', () => {
    const december = nextPeriod(seoul, seoul.endsAt, 'Asia/Seoul');
    expect(nextPeriod(december, december.endsAt, 'Asia/Seoul').label).toBe('2027-01');
    expect(followingMonth('2026-12')).toBe('2027-01');
    expect(followingMonth('2026-09')).toBe('2026-10');
  });

  test('after three months untouched is the present month, with no gap behind it', () => {
    expect(show(nextPeriod(seoul, at('2027-02-14T00:00:00+09:00'), 'Asia/Seoul'))).toEqual([
      '2027-02',
      '2026-11-30T15:00:00.000Z',
      '2027-02-28T15:00:00.000Z',
    ]);
  });

  test('a move west keeps the end that was fixed and gives one December, ended by the new zone', () => {
    // In New York it is still 30 November, 10:00.
    expect(show(nextPeriod(seoul, seoul.endsAt, 'America/New_York'))).toEqual([
      '2026-12',
      '2026-11-30T15:00:00.000Z',
      '2027-01-01T05:00:00.000Z',
    ]);
  });

  test('a move east keeps the end that was fixed, so that nothing is given early', () => {
    const newYork = nextPeriod(null, at('2026-11-10T00:00:00Z'), 'America/New_York');
    expect(show(nextPeriod(newYork, newYork.endsAt, 'Asia/Seoul'))).toEqual([
      '2026-12',
      '2026-12-01T05:00:00.000Z',
      '2026-12-31T15:00:00.000Z',
    ]);
  });
});

test('zones changed at will: every touch is covered by its period, periods meet, labels rise, and nobody gains or loses an allowance', () => {
  const zones = [
    'Asia/Seoul',
    'America/New_York',
    'Australia/Sydney',
    'Asia/Kathmandu',
    'Africa/Cairo',
    'Pacific/Kiritimati',
    'Etc/GMT+12',
  ];
  const touches = fc.array(
    fc.record({ zone: fc.constantFrom(...zones), afterHours: fc.integer({ min: 0, max: 24 * 100 }) }),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') }),
      touches,
      (begin, list) => {
        let now = begin;
        let last: Period | null = null;
        for (const { zone, afterHours } of list) {
          now += afterHours * 3_600_000;
          if (last !== null && now < last.endsAt) continue;
          const next = nextPeriod(last, now, zone);
          expect(next.startsAt).toBeLessThanOrEqual(now);
          expect(next.endsAt).toBeGreaterThan(now);
          expect(next.endsAt).toBe(startOfMonth(followingMonth(next.label), zone));
          if (last !== null) {
            expect(next.startsAt).toBe(last.endsAt);
            expect(next.label > last.label).toBe(true);
            // Never a month ahead of what the furthest-ahead wall clock shows.
            expect(next.label <= followingMonth(monthOf(now, 'Etc/GMT+12'))).toBe(true);
          }
          expect(next.label >= monthOf(now, zone)).toBe(true);
          last = next;
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('a day of another month counts as the nearest one of the month, a day of the month as itself', () => {
  const days = ['2024-01-31', '2024-02-01', '2024-02-17', '2024-02-29', '2024-03-01', '2025-02-01', '2023-02-28'];
  expect(days.map((day) => nearestDayOf('2024-02', day))).toEqual([
    '2024-02-01',
    '2024-02-01',
    '2024-02-17',
    '2024-02-29',
    '2024-02-29',
    '2024-02-29',
    '2024-02-01',
  ]);
  expect(nearestDayOf('2026-12', '2027-01-01')).toBe('2026-12-31');
});
