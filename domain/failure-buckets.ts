import { AppError } from './errors.ts';
import { dayOf, startOfDay, wallClock, type Instant } from './period.ts';

export const BUCKETS = ['hour', 'day'] as const;
export type Bucket = (typeof BUCKETS)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** What one chart may span, so that its cost is bounded: a week of hours, a quarter of days. */
export const MOST_DAYS = { hour: 7, day: 92 } as const satisfies Record<Bucket, number>;
/** What it spans when nobody says from when. */
const DEFAULT_DAYS = { hour: 1, day: 30 } as const satisfies Record<Bucket, number>;

interface Asked {
  readonly bucket: Bucket;
  readonly from?: Instant | undefined;
  /** Now, by default. */
  readonly to?: Instant | undefined;
}

/** Half-open. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/**
 * The hours or days of a range on the wall clock of a zone, oldest first and without gaps. The first and the last are
 * cut where the range is, so that together they are exactly what was asked.
 * @throws AppError invalid_request for a range that is none, or a longer one than a chart may span.
 */
export function decideBuckets({ bucket, to: asked, from: since }: Asked, now: Instant, timeZone: string): Span[] {
  const to = asked ?? now;
  const from = since ?? to - DEFAULT_DAYS[bucket] * DAY;
  if (from >= to) throw new AppError('invalid_request', { field: 'to', reason: 'from must be before it' });
  // Days have 23 to 25 hours.
  if (to - from > MOST_DAYS[bucket] * DAY + HOUR)
    throw new AppError('invalid_request', {
      field: 'to',
      reason: `at most ${MOST_DAYS[bucket]} days after from, by ${bucket}`,
    });
  const spans: Span[] = [];
  for (let begins = from; begins < to;) {
    const ends = Math.min(to, NEXT[bucket](begins, timeZone));
    if (!(ends > begins)) throw new Error(`no ${bucket} ends after ${begins}`);
    spans.push({ from: begins, to: ends });
    begins = ends;
  }
  return spans;
}

/** The first hour or day that begins after an instant. */
const NEXT = {
  // Where clocks change by half an hour, one bucket is longer or shorter, and the next begins on the hour again.
  hour: (at, timeZone) => at + HOUR - modulo(wallClock(at, timeZone), HOUR),
  day: (at, timeZone) =>
    startOfDay(new Date(Date.parse(dayOf(at, timeZone)) + DAY).toISOString().slice(0, 10), timeZone),
} as const satisfies Record<Bucket, (at: Instant, timeZone: string) => Instant>;

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
