import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { forecastDepletion, type Pace } from '../../domain/forecast.ts';
import { dayOf } from '../../domain/period.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (text: string) => Date.parse(text);
/** Sunday noon in Seoul; its month ends 15 and a half days later. */
const NOW = at('2026-11-15T12:00:00+09:00');
const END = at('2026-12-01T00:00:00+09:00');

function forecast(
  change: Partial<Pace> & { remaining?: number; now?: number; timeZone?: string; resetsAt?: number } = {},
) {
  const {
    remaining = 50_000,
    now = NOW,
    timeZone = 'Asia/Seoul',
    resetsAt = END,
    firstDebitAt = NOW - 100 * DAY,
    debits = [],
  } = change;
  return forecastDepletion({ now, timeZone, remaining, resetsAt, pace: { firstDebitAt, debits } });
}
const iso = (instant: number | null) => (instant === null ? null : new Date(instant).toISOString());

describe('the tokens run out', () => {
  test('at the pace of today and the six days before: 65,000 in 6.5 days, so 50,000 last 5 days', () => {
    const debits = [
      { day: '2026-11-09', tokens: 20_000 },
      { day: '2026-11-13', tokens: 40_000 },
      { day: '2026-11-15', tokens: 5_000 },
    ];
    expect(iso(forecast({ debits }))).toBe(iso(NOW + 5 * DAY));
  });

  test('by what an account has used since its first debit, when that is less than 7 days ago', () => {
    const debits = [
      { day: '2026-11-13', tokens: 15_000 },
      { day: '2026-11-14', tokens: 5_000 },
    ];
    expect(iso(forecast({ debits, firstDebitAt: NOW - 2 * DAY }))).toBe(iso(NOW + 5 * DAY));
  });

  test('not by what was used a week ago and earlier', () => {
    expect(forecast({ debits: [{ day: '2026-11-08', tokens: 99_000 }] })).toBeNull();
    expect(forecast({ debits: [{ day: '2026-11-09', tokens: 99_000 }] })).not.toBeNull();
  });

  test('now, when none are left', () => {
    expect(forecast({ remaining: 0 })).toBe(NOW);
  });

  test('on the day as the account’s wall clock has it: at 08:00 on Monday in Seoul it is still Sunday in New York', () => {
    const now = at('2026-11-16T08:00:00+09:00');
    const debits = [{ day: '2026-11-09', tokens: 50_000 }];
    expect(forecast({ now, debits })).toBeNull();
    expect(iso(forecast({ now, debits, timeZone: 'America/New_York' }))).toBe(iso(now + 6 * DAY + 18 * HOUR));
  });

  test('off by less than an hour a week where the clocks changed: New York, 2026-11-01', () => {
    const now = at('2026-11-02T12:00:00-05:00');
    const exact = now + (now - at('2026-10-27T00:00:00-04:00'));
    const shown = forecast({ now, timeZone: 'America/New_York', debits: [{ day: '2026-10-27', tokens: 50_000 }] });
    expect(Math.abs((shown ?? 0) - exact)).toBe(HOUR);
  });
});

describe('there is no forecast', () => {
  test.each<[string, Parameters<typeof forecast>[0]]>([
    ['before the first debit', { firstDebitAt: null }],
    [
      '23:59:59.999 after the first debit, though the tokens are used up',
      { firstDebitAt: NOW - DAY + 1, remaining: 0, debits: [{ day: '2026-11-15', tokens: 100_000 }] },
    ],
    ['when nothing was used for 7 days', { debits: [] }],
    [
      'when the tokens last exactly until the reset',
      {
        remaining: 10_000,
        firstDebitAt: NOW - DAY,
        resetsAt: NOW + DAY,
        debits: [{ day: '2026-11-15', tokens: 10_000 }],
      },
    ],
  ])('%s', (_, change) => {
    expect(forecast(change)).toBeNull();
  });

  test('control: a millisecond before the reset, and 24 hours after the first debit, there is one', () => {
    expect(
      forecast({
        remaining: 10_000,
        firstDebitAt: NOW - DAY,
        resetsAt: NOW + DAY + 1,
        debits: [{ day: '2026-11-15', tokens: 10_000 }],
      }),
    ).toBe(NOW + DAY);
  });
});

const amount = fc.integer({ min: 1, max: 100_000_000_000_000 });
const cases = fc.record({
  now: fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') }),
  timeZone: fc.constantFrom(
    'Asia/Seoul',
    'America/New_York',
    'Asia/Kathmandu',
    'Pacific/Kiritimati',
    'Australia/Sydney',
    'Africa/Cairo',
  ),
  daysUntilReset: fc.integer({ min: 0, max: 31 }),
  dataHours: fc.integer({ min: 24, max: 24 * 40 }),
  remaining: amount,
  debits: fc.array(fc.record({ daysAgo: fc.integer({ min: 0, max: 8 }), tokens: amount }), { maxLength: 10 }),
});

describe('whatever the figures', () => {
  const of = ({
    now,
    timeZone,
    daysUntilReset,
    dataHours,
    remaining,
    debits,
  }: typeof cases extends fc.Arbitrary<infer C> ? C : never) => ({
    now,
    timeZone,
    remaining,
    resetsAt: now + daysUntilReset * DAY + 1,
    firstDebitAt: now - dataHours * HOUR,
    debits: debits.map(({ daysAgo, tokens }) => ({ day: dayOf(now - daysAgo * DAY, timeZone), tokens })),
  });

  test('it is none or a whole millisecond from now until before the reset', () => {
    fc.assert(
      fc.property(cases, (some) => {
        const input = of(some);
        const shown = forecast(input);
        if (shown === null) return;
        expect(Number.isSafeInteger(shown)).toBe(true);
        expect(shown).toBeGreaterThanOrEqual(input.now);
        expect(shown).toBeLessThan(input.resetsAt);
      }),
    );
  });

  test('more tokens never run out earlier, and more use never later; null is never', () => {
    const never = (instant: number | null) => instant ?? Infinity;
    fc.assert(
      fc.property(cases, amount, (some, more) => {
        const input = of(some);
        expect(never(forecast({ ...input, remaining: input.remaining + more }))).toBeGreaterThanOrEqual(
          never(forecast(input)),
        );
        const busier = [...input.debits, { day: dayOf(input.now, input.timeZone), tokens: more }];
        expect(never(forecast({ ...input, debits: busier }))).toBeLessThanOrEqual(never(forecast(input)));
      }),
    );
  });

  test('an account that uses the same every hour runs out when that arithmetic says so, to the hour', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 24, max: 400 }),
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 0, max: 23 }),
        (hourly, hoursUsed, hoursLeft, hourOfDay) => {
          const now = at('2026-06-15T00:00:00Z') + hourOfDay * HOUR;
          const debits = Array.from({ length: hoursUsed }, (_, i) => ({
            day: dayOf(now - (i + 1) * HOUR, 'UTC'),
            tokens: hourly,
          }));
          const shown = forecast({
            now,
            timeZone: 'UTC',
            firstDebitAt: now - hoursUsed * HOUR,
            debits,
            remaining: hourly * hoursLeft,
            resetsAt: now + 1_000 * HOUR,
          });
          expect(Math.abs((shown ?? 0) - (now + hoursLeft * HOUR))).toBeLessThanOrEqual(HOUR);
        },
      ),
    );
  });
});
