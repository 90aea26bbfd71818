import { describe, expect, test } from '@jest/globals';
import {
  neededSchedules,
  rememberArmed,
  schedulesToArm,
  spreadSeconds,
  timingOf,
  type Schedules,
} from '../../domain/schedules.ts';
import type { AlertLevel } from '../../domain/alerts.ts';
import type { Balance } from '../../domain/balance.ts';

const used = (tokens: number): Balance => ({
  allowance: 100_000,
  purchased: 0,
  debt: 0,
  spentPurchased: 0,
  spentAllowance: Math.min(tokens, 100_000),
  overage: Math.max(0, tokens - 100_000),
  used: tokens,
});
const schedules = (reset: boolean, alert: AlertLevel | null): Schedules => ({ reset, alert });

test.each([
  [0, false, null],
  [1, true, null],
  [79_999, true, null],
  [89_999, true, null],
  [90_000, true, 'WARNING'],
  [94_999, true, 'WARNING'],
  [95_000, true, 'CRITICAL'],
  [105_000, true, 'CRITICAL'],
] as const)('with %i of 100,000 used, an account needs reset: %s, check: %s', (tokens, reset, alert) => {
  expect(neededSchedules(used(tokens))).toEqual({ reset, alert });
});

describe('what has to be armed', () => {
  test.each([
    ['nothing used: nothing', schedules(false, null), schedules(false, null), []],
    ['first use: the reset', schedules(true, null), schedules(false, null), ['reset']],
    ['armed before: nothing', schedules(true, 'WARNING'), schedules(true, 'WARNING'), []],
    ['90 % reached: the check', schedules(true, 'WARNING'), schedules(true, null), ['alert']],
    ['at once from nothing to 90 %: both', schedules(true, 'WARNING'), schedules(false, null), ['reset', 'alert']],
    ['a higher level: a check is owed now', schedules(true, 'CRITICAL'), schedules(true, 'WARNING'), ['alert']],
    ['a lower level: nothing', schedules(true, 'WARNING'), schedules(true, 'CRITICAL'), []],
  ])('%s', (_, needed, armed, kinds) => {
    expect(schedulesToArm(needed, armed)).toEqual(kinds);
  });
});

describe('what is remembered after arming', () => {
  const wanted = schedules(true, 'WARNING');
  test.each([
    [
      'both, still needed',
      ['reset', 'alert'] as const,
      { wanted, needed: wanted, armed: schedules(false, null) },
      schedules(true, 'WARNING'),
    ],
    [
      'a purchase came meanwhile: the check is forgotten, its own run may have deleted it',
      ['alert'] as const,
      { wanted, needed: schedules(true, null), armed: schedules(true, null) },
      schedules(true, null),
    ],
    [
      'the level rose meanwhile: the lower one, so that whoever raised it arms',
      ['alert'] as const,
      { wanted, needed: schedules(true, 'CRITICAL'), armed: schedules(true, null) },
      schedules(true, 'WARNING'),
    ],
    [
      'somebody armed a higher level: the higher',
      ['alert'] as const,
      { wanted, needed: schedules(true, 'CRITICAL'), armed: schedules(true, 'CRITICAL') },
      schedules(true, 'CRITICAL'),
    ],
    [
      'nothing armed: nothing more',
      [] as const,
      { wanted, needed: wanted, armed: schedules(false, null) },
      schedules(false, null),
    ],
  ])('%s', (_, kinds, now, remembered) => {
    expect(rememberArmed(kinds, now)).toEqual(remembered);
  });
});

test('timings say zone and end, and differ when the schedules do', () => {
  const account = { userId: 7, timeZone: 'Asia/Seoul', periodEndsAt: Date.parse('2026-12-01T00:00:00+09:00') };
  expect(timingOf('reset', account)).toBe('monthly on day 1 at 04:05 Asia/Seoul');
  expect(timingOf('alert', account)).toBe(`hourly at +${spreadSeconds(7)} s until 2026-11-30T15:00:00.000Z`);
});

test('checks are spread over the whole hour, each account always at its own second', () => {
  const tenths = new Array<number>(10).fill(0);
  for (let userId = 1; userId <= 36_000; userId++) {
    const second = spreadSeconds(userId);
    expect(second).toBe(spreadSeconds(userId));
    tenths[Math.floor(second / 360)] = (tenths[Math.floor(second / 360)] ?? 0) + 1;
  }
  for (const count of tenths) expect(Math.abs(count - 3_600)).toBeLessThan(360);
});
