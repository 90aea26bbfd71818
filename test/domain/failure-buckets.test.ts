import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideBuckets, MOST_DAYS, type Bucket } from '../../domain/failure-buckets.ts';
import { dayOf, wallClock } from '../../domain/period.ts';

const at = (text: string) => Date.parse(text);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = at('2026-11-25T03:20:00Z');
const starts = (bucket: Bucket, from: string, to: string, timeZone: string) =>
  decideBuckets({ bucket, from: at(from), to: at(to) }, NOW, timeZone).map((span) => new Date(span.from).toISOString());

test('hours and days begin on the wall clock; the first and the last are cut where the range is', () => {
  expect(
    decideBuckets(
      { bucket: 'hour', from: at('2026-11-25T00:20:00Z'), to: at('2026-11-25T02:10:00Z') },
      NOW,
      'Asia/Seoul',
    ),
  ).toEqual([
    { from: at('2026-11-25T00:20:00Z'), to: at('2026-11-25T01:00:00Z') },
    { from: at('2026-11-25T01:00:00Z'), to: at('2026-11-25T02:00:00Z') },
    { from: at('2026-11-25T02:00:00Z'), to: at('2026-11-25T02:10:00Z') },
  ]);
  expect(starts('hour', '2026-11-25T00:00:00Z', '2026-11-25T02:00:00Z', 'Asia/Kathmandu')).toEqual([
    '2026-11-25T00:00:00.000Z',
    '2026-11-25T00:15:00.000Z',
    '2026-11-25T01:15:00.000Z',
  ]);
  expect(starts('day', '2026-11-23T15:00:00Z', '2026-11-25T03:00:00Z', 'Asia/Seoul')).toEqual([
    '2026-11-23T15:00:00.000Z',
    '2026-11-24T15:00:00.000Z',
  ]);
});

test('a day has 23, 24 or 25 hours', () => {
  expect(starts('day', '2026-03-07T05:00:00Z', '2026-03-10T04:00:00Z', 'America/New_York')).toEqual([
    '2026-03-07T05:00:00.000Z',
    '2026-03-08T05:00:00.000Z',
    '2026-03-09T04:00:00.000Z',
  ]);
  expect(starts('day', '2026-10-31T04:00:00Z', '2026-11-03T05:00:00Z', 'America/New_York')).toEqual([
    '2026-10-31T04:00:00.000Z',
    '2026-11-01T04:00:00.000Z',
    '2026-11-02T05:00:00.000Z',
  ]);
});

test('without a range it is the last day by hour, and the last 30 days by day', () => {
  const [hours, days] = [decideBuckets({ bucket: 'hour' }, NOW, 'UTC'), decideBuckets({ bucket: 'day' }, NOW, 'UTC')];
  expect([hours[0]?.from, hours.at(-1)?.to, hours.length]).toEqual([NOW - DAY, NOW, 25]);
  expect([days[0]?.from, days.at(-1)?.to, days.length]).toEqual([NOW - 30 * DAY, NOW, 31]);
});

describe('refuses', () => {
  test.each<[string, Bucket, number, number]>([
    ['a range that ends where it begins', 'hour', NOW, NOW],
    ['one that ends before', 'day', NOW, NOW - DAY],
    ['more than a week of hours', 'hour', NOW - 8 * DAY, NOW],
    ['more than a quarter of days', 'day', NOW - 93 * DAY, NOW],
  ])('%s', (_, bucket, from, to) => {
    expect(() => decideBuckets({ bucket, from, to }, NOW, 'UTC')).toThrow(
      expect.objectContaining({ code: 'invalid_request', details: expect.objectContaining({ field: 'to' }) }),
    );
  });
});

test.each<[Bucket, string, string]>([
  ['day', '9999-12-01T00:00:00Z', '9999-12-31T12:00:00Z'],
  ['day', '0000-01-01T00:00:00Z', '0000-02-01T00:00:00Z'],
])('a %s that no calendar has an end for is an error, and not a loop: %s to %s', (bucket, from, to) => {
  expect(() => starts(bucket, from, to, 'America/New_York')).toThrow();
  expect(() => starts(bucket, from, to, 'Asia/Seoul')).toThrow();
});

test('hours and days of the years below 100 are bounded too', () => {
  expect(starts('day', '0099-12-30T00:00:00Z', '0100-01-02T00:00:00Z', 'UTC')).toEqual([
    '0099-12-30T00:00:00.000Z',
    '0099-12-31T00:00:00.000Z',
    '0100-01-01T00:00:00.000Z',
  ]);
  expect(starts('hour', '0050-01-01T00:00:00Z', '0050-01-01T02:00:00Z', 'UTC')).toHaveLength(2);
});

test('buckets are gapless, ascending and bounded, and each lies in one hour or day, in any zone', () => {
  const zones = [
    'Asia/Seoul',
    'UTC',
    'America/New_York',
    'America/Havana',
    'Africa/Cairo',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Pacific/Kiritimati',
    'Pacific/Pago_Pago',
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom<Bucket>('hour', 'day'),
      fc.integer({ min: at('2024-01-01'), max: at('2028-01-01') }),
      fc.double({ min: 0.0001, max: 1, noNaN: true }),
      (zone, bucket, from, share) => {
        const to = from + Math.ceil(share * Math.min(20, MOST_DAYS[bucket]) * DAY);
        const spans = decideBuckets({ bucket, from, to }, NOW, zone);
        expect([spans[0]?.from, spans.at(-1)?.to]).toEqual([from, to]);
        spans.forEach((span, i) => {
          if (i > 0) expect(span.from).toBe(spans[i - 1]?.to);
          expect(span.to).toBeGreaterThan(span.from);
          if (bucket === 'day') expect(dayOf(span.to - 1, zone)).toBe(dayOf(span.from, zone));
          else if (zone !== 'Australia/Lord_Howe')
            expect(Math.floor(wallClock(span.to - 1, zone) / HOUR)).toBe(Math.floor(wallClock(span.from, zone) / HOUR));
        });
        expect(spans.length).toBeLessThanOrEqual((bucket === 'hour' ? 24 * MOST_DAYS.hour : MOST_DAYS.day) + 3);
      },
    ),
    { numRuns: 60 },
  );
});
