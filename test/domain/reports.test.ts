import { expect, test } from '@jest/globals';
import { adviceOf, type Advised } from '../../domain/reports/advice.ts';
import { buildOperatorReport } from '../../domain/reports/build-operator-report.ts';
import {
  dayAfter,
  daysBetween,
  daysStanding,
  depletionAtPace,
  forecastError,
  median,
  monthBefore,
  unusualDays,
} from '../../domain/reports/patterns.ts';

const at = (text: string) => Date.parse(text);

test.each([
  ['Asia/Seoul', '2028-02', '2028-02-01T00:00+09:00', '2028-03-01T00:00+09:00', 29],
  ['America/New_York', '2026-03', '2026-03-01T05:00Z', '2026-04-01T04:00Z', 31],
  ['America/New_York', '2026-11', '2026-11-01T04:00Z', '2026-12-01T05:00Z', 30],
  // Samoa had no 30 December 2011.
  ['Pacific/Apia', '2011-12', '2011-12-01T10:00Z', '2011-12-31T10:00Z', 31],
])('%s in %s has its days', (timeZone, label, from, until, count) => {
  const days = daysBetween(at(from), at(until), timeZone);
  expect(days).toHaveLength(count);
  expect(days[0]).toBe(`${label}-01`);
  expect(new Set(days.map((day) => day.slice(0, 7)))).toEqual(new Set([label]));
});

test('months and medians', () => {
  expect([monthBefore('2026-01'), monthBefore('2026-03'), dayAfter('2026-02-28', 1)]).toEqual([
    '2025-12',
    '2026-02',
    '2026-03-01',
  ]);
  expect([median([]), median([3]), median([4, 1]), median([9, 1, 5])]).toEqual([0, 3, 2.5, 5]);
});

test('a day is unusual above the median and four deviations of the days before, and not for want of days or tokens', () => {
  const days = daysBetween(at('2026-11-01T00:00Z'), at('2026-12-01T00:00Z'), 'UTC');
  const usual = (tokens: (i: number) => number) => new Map(days.map((day, i) => [day, tokens(i)]));
  const judged = (used: Map<string, number>, firstDay = '2026-11-01', least = 1) =>
    unusualDays(days, { used, firstDay, least }).map(({ day }) => day.slice(8));
  // 90 to 110 with a median of 100 and a deviation of 10: the limit is 140.
  const noisy = (i: number) => [90, 100, 110][i % 3] ?? 0;
  expect(judged(usual((i) => (i === 20 ? 140 : noisy(i))))).toEqual([]);
  expect(judged(usual((i) => (i === 20 ? 141 : noisy(i))))).toEqual(['21']);
  expect(
    judged(
      usual((i) => (i === 20 ? 141 : noisy(i))),
      '2026-11-01',
      142,
    ),
  ).toEqual([]);
  // With fewer than seven days before it, nobody knows what is usual.
  expect(judged(usual((i) => (i === 6 ? 9_999 : noisy(i))))).toEqual([]);
  expect(judged(usual((i) => (i === 7 ? 9_999 : noisy(i))))).toEqual(['08']);
  // Every day alike: the mean deviation stands for the median one, which is 0.
  expect(judged(usual((i) => (i === 20 ? 101 : 100)))).toEqual(['21']);
  expect(judged(usual(() => 100))).toEqual([]);
  // Now and then a day of use is the habit of who comes now and then.
  expect(judged(usual((i) => (i % 4 === 0 ? 100 : 0)))).toEqual([]);
});

test('days at 90 % are those that came there and those that began there, until it went down', () => {
  const days = ['01', '02', '03', '04', '05', '06'];
  expect(
    daysStanding(days, [
      { day: '02', wasThere: true, isThere: true },
      { day: '04', wasThere: false, isThere: false },
      { day: '06', wasThere: true, isThere: false },
    ]),
  ).toEqual(['02', '03', '04', '06']);
  expect(daysStanding(days, [])).toEqual([]);
});

test('forecasts are judged by when the tokens ran out, or by the end where they lasted', () => {
  const endsAt = at('2026-12-01T00:00Z');
  const day = (n: number) => at('2026-11-01T00:00Z') + n * 86_400_000;
  expect(forecastError([], { depletedAt: null, endsAt })).toBe(null);
  expect(forecastError([day(10), day(12), null], { depletedAt: day(11), endsAt })).toBe(1);
  expect(forecastError([day(20), null], { depletedAt: null, endsAt })).toBe(5);
  const pace = { from: endsAt, until: endsAt + 31 * 86_400_000, tokens: 100, withinMs: 30 * 86_400_000 };
  expect(depletionAtPace({ ...pace, usedTokens: 0 })).toBe(null);
  expect(depletionAtPace({ ...pace, usedTokens: 90 })).toBe(null);
  expect(depletionAtPace({ ...pace, usedTokens: 300 })).toBe(endsAt + 10 * 86_400_000);
});

test('advice follows from the figures, two sentences at most, the most useful first', () => {
  const model = (name: string, tokens: number, debitedTokens: number) => ({
    model: name,
    promptTokens: tokens,
    completionTokens: 0,
    debitedTokens,
  });
  const quiet: Advised = {
    turns: 50,
    debitedTokens: 1_000,
    daysAt90: 0,
    blockedTurns: 0,
    history: null,
    models: [model('a', 1_000, 1_000)],
  };
  const codes = (change: Partial<Advised>) => adviceOf({ ...quiet, ...change }).map(({ code }) => code);
  const long = { promptTokens: 100, historyTokens: 50 };
  const dear = [model('big', 400, 800), model('small', 200, 200)];
  expect(codes({})).toEqual([]);
  expect(codes({ history: long })).toEqual(['shorten_history']);
  expect(codes({ history: { ...long, historyTokens: 49 } })).toEqual([]);
  expect(codes({ history: long, turns: 9 })).toEqual([]);
  expect(adviceOf({ ...quiet, models: dear })).toEqual([
    { code: 'smaller_model', model: 'big', percent: 80, smaller: 'small' },
  ]);
  expect(codes({ models: [model('big', 400, 800), model('other', 100, 200)] })).toEqual([]);
  expect(codes({ blockedTurns: 3, daysAt90: 2, history: long, models: dear })).toEqual([
    'buy_ahead',
    'shorten_history',
  ]);
});

test('the operator’s report prices calls by the catalogue, lost ones apart, and judges forecasts by when they were made', () => {
  const sums = { turns: 2, promptTokens: 1_000, cachedTokens: 100, completionTokens: 300, debitedTokens: 1_300 };
  const call = {
    model: 'a',
    isLost: false,
    code: null,
    calls: 2,
    promptTokens: 1_000,
    cachedTokens: 100,
    completionTokens: 300,
  };
  const endsAt = at('2026-11-01T00:00Z');
  const lost = {
    ...call,
    isLost: true,
    code: 'model_timeout',
    calls: 1,
    promptTokens: 500,
    cachedTokens: 0,
    completionTokens: 0,
  };
  const report = buildOperatorReport(
    {
      label: '2026-10',
      startsAt: at('2026-10-01T00:00Z'),
      endsAt,
      used: {
        overageTokens: 1,
        spentPurchasedTokens: 2,
        activeAccounts: 3,
        models: [
          { model: 'a', ...sums },
          { model: null, ...sums, turns: 0, debitedTokens: -5 },
        ],
      },
      flags: { debits: 2, estimated: 1, overHold: 0, ceilingMoved: 0 },
      calls: [call, lost, { ...call, model: 'gone' }],
      sales: { payers: 1, grantedTokens: 5, reversedTokens: 0, revenue: [] },
      limits: { blockedAccounts: 1, blockedTurns: 2 },
      cohort: { ranOut: 1, boughtWithin30Days: 1 },
      forecasts: [
        { madeAt: at('2026-10-28T00:00Z'), depletesAt: null, depletedAt: at('2026-10-30T00:00Z'), endsAt },
        { madeAt: at('2026-10-05T00:00Z'), depletesAt: at('2026-10-20T00:00Z'), depletedAt: null, endsAt },
      ],
    },
    [{ name: 'a', cost: { currency: 'USD', prompt: 400_000, cached: 100_000, completion: 1_600_000 } }],
  );
  expect(report.usage).toMatchObject({ turns: 2, debitedTokens: 1_300, usedTokens: 1_295, adjustedTokens: -5 });
  expect(report.cost).toEqual({
    known: [{ currency: 'USD', micros: 360 + 10 + 480 + 200, lostMicros: 200 }],
    callsWithoutPrice: 2,
  });
  expect(report.models).toMatchObject([
    { model: 'a', calls: 3, lostCalls: 1, lostTokens: 500, errors: [{ code: 'model_timeout', calls: 1 }] },
    { model: 'gone', turns: 0, calls: 2, lostCalls: 0, errors: [] },
  ]);
  expect(report.calibration).toEqual([
    { daysBefore: '0-7', forecasts: 1, medianErrorDays: 2 },
    { daysBefore: '15-31', forecasts: 1, medianErrorDays: 12 },
  ]);
});
