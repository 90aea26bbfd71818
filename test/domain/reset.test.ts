import { describe, expect, test } from '@jest/globals';
import { decideReset } from '../../domain/reset.ts';
import { followingMonth, nextPeriod, startOfMonth, type Period } from '../../domain/period.ts';

const at = (text: string) => Date.parse(text);
const periodOf = (label: string, timeZone: string): Period => nextPeriod(null, startOfMonth(label, timeZone), timeZone);
const november = periodOf('2026-11', 'Asia/Seoul');
const inSeoul = (firedFor: string, now: string, last: Period | null = november) =>
  decideReset({ last, firedFor: at(firedFor), now: at(now), timeZone: 'Asia/Seoul' });

describe('a firing of the monthly reset', () => {
  test.each([
    ['in time, untouched since the month began', '2026-12-01T04:05:00+09:00', '2026-12-01T04:05:00+09:00', 'reset'],
    ['hours late', '2026-12-01T04:05:00+09:00', '2026-12-01T20:00:00+09:00', 'reset'],
    ['late by a month: the next firing’s work', '2026-12-01T04:05:00+09:00', '2027-01-01T00:00:00+09:00', 'past_month'],
    ['of a month that never had a period', '2026-12-01T04:05:00+09:00', '2027-02-10T00:00:00+09:00', 'past_month'],
    ['of the present month, three months untouched', '2027-02-01T04:05:00+09:00', '2027-02-10T00:00:00+09:00', 'reset'],
    ['by hand in the middle of its month', '2026-11-15T12:00:00+09:00', '2026-11-15T12:00:00+09:00', 'already_reset'],
    [
      'by backfill for a month long over, while the present one is open',
      '2026-08-01T04:05:00+09:00',
      '2026-11-15T12:00:00+09:00',
      'past_month',
    ],
  ] as const)('%s: %s fired at %s is %s', (_, firedFor, now, outcome) => {
    expect(inSeoul(firedFor, now)).toBe(outcome);
  });

  test('after the first touch has opened the period', () => {
    expect(inSeoul('2026-12-01T04:05:00+09:00', '2026-12-01T04:05:00+09:00', periodOf('2026-12', 'Asia/Seoul'))).toBe(
      'already_reset',
    );
  });

  test('for an account that has no period yet', () => {
    expect(inSeoul('2026-12-01T04:05:00+09:00', '2026-12-01T04:05:00+09:00', null)).toBe('reset');
  });

  test('of an owner who moved east comes before the period ends, and waits for the first touch', () => {
    const newYork = periodOf('2026-11', 'America/New_York');
    const firing = at('2026-12-01T04:05:00+09:00');
    expect(firing).toBeLessThan(newYork.endsAt);
    expect(decideReset({ last: newYork, firedFor: firing, now: firing, timeZone: 'Asia/Seoul' })).toBe('not_due');
    expect(decideReset({ last: newYork, firedFor: firing, now: newYork.endsAt, timeZone: 'Asia/Seoul' })).toBe('reset');
  });
});

describe('04:05 local on the first is behind the first midnight and short of the next month', () => {
  test.each([
    'Asia/Seoul',
    'America/New_York',
    'Australia/Sydney',
    'Asia/Kathmandu',
    'Africa/Cairo',
    'America/Havana',
    'Pacific/Kiritimati',
    'Etc/GMT+12',
  ])('in %s for 60 months', (timeZone) => {
    let last = periodOf('2024-01', timeZone);
    for (let label = '2024-02'; label < '2029-01'; label = followingMonth(label)) {
      // Four hours and five minutes of elapsed time are within an hour of 04:05 on the wall, whatever daylight saving
      // did at night.
      const firing = startOfMonth(label, timeZone) + (4 * 60 + 5) * 60_000;
      expect(decideReset({ last, firedFor: firing, now: firing, timeZone })).toBe('reset');
      last = nextPeriod(last, firing, timeZone);
      expect(last.label).toBe(label);
      expect(decideReset({ last, firedFor: firing, now: firing, timeZone })).toBe('already_reset');
    }
  });
});
