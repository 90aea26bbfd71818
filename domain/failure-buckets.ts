import { AppError } from './errors.ts';
import { dayOf, startOfDay, wallClock, type Instant } from './period.ts';

export const BUCKETS = ['hour', 'day'] as const;
export type Bucket = (typeof BUCKETS)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The longest range of one chart, which bounds its cost: a week of hours, a quarter of days. */
export const MOST_DAYS = { hour: 7, day: 92 } as const satisfies Record<Bucket, number>;
/** The range of a chart that is asked for without `from`. */
const DEFAULT_DAYS = { hour: 1, day: 30 } as const satisfies Record<Bucket, number>;

interface Asked {
  readonly bucket: Bucket;
  readonly from?: Instant | undefined;
  /** The present when absent. */
  readonly to?: Instant | undefined;
}

/** Half-open: [from, to). */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/**
 * Divides a range into hours or days on the wall clock of a zone, oldest first and without gaps. The first and the last
 * are cut where the range begins and ends, so that together they are exactly what was asked.
 * @throws AppError invalid_request for an empty range, or one that is longer than a chart may span.
 */
export function decideBuckets({ bucket, to: asked, from: since }: Asked, now: Instant, timeZone: string): Span[] {
  const to = asked ?? now;
  const from = since ?? to - DEFAULT_DAYS[bucket] * DAY;
  if (from >= to) throw new AppError('invalid_request', { field: 'to', reason: 'from must be before it' });
  // The extra hour allows for days of 25 hours.
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
  // Where clocks change by half an hour, one bucket is longer or shorter, and the next begins on the full hour again.
  hour: (at, timeZone) => at + HOUR - modulo(wallClock(at, timeZone), HOUR),
  day: (at, timeZone) =>
    startOfDay(new Date(Date.parse(dayOf(at, timeZone)) + DAY).toISOString().slice(0, 10), timeZone),
} as const satisfies Record<Bucket, (at: Instant, timeZone: string) => Instant>;

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
