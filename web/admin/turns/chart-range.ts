import type { Schemas } from '../../api/schemas.ts';
import { dayAfter, dayOf, startOfDay } from './days.ts';
import { filterQuery } from './turn-filter.ts';
import type { Address } from '../use-address.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The most days that the API accepts in one request. */
const MOST_DAYS = { hour: 7, day: 92 } as const satisfies Record<Bucket, number>;
type Bucket = Schemas['Failures']['bucket'];

/** The days that a chart spans when the filter names none. */
export const SPANS = { day: 1, week: 7, month: 30, quarter: 90 } as const;
export type SpanName = keyof typeof SPANS;

export interface ChartRange {
  readonly bucket: Bucket;
  readonly from: string;
  readonly to: string;
  /** True when the filter's range is longer than a chart's, which then ends with the filter's. */
  readonly cut: boolean;
}

/**
 * The range of a chart: hours for up to a week, days for up to a quarter. It is the filter's range, or else one as long
 * as `span` says that ends with the current hour, so that it stays the same for a while. Null when the filter's range
 * is invalid.
 */
export function chartRange(address: Address, timeZone: string, now = Date.now()): ChartRange | null {
  const asked = filterQuery(address, timeZone);
  if (asked['from'] === undefined && asked['to'] === undefined) {
    const days = SPANS[spanOf(address)];
    const to = (Math.floor(now / HOUR) + 1) * HOUR;
    const from =
      days <= MOST_DAYS.hour
        ? new Date(to - days * DAY).toISOString()
        : startOfDay(dayAfter(dayOf(now, timeZone), 1 - days), timeZone);
    return { bucket: days <= MOST_DAYS.hour ? 'hour' : 'day', from, to: new Date(to).toISOString(), cut: false };
  }
  const to = asked['to'] === undefined ? (Math.floor(now / HOUR) + 1) * HOUR : Date.parse(asked['to']);
  const from = asked['from'] === undefined ? -Infinity : Date.parse(asked['from']);
  if (!(from < to)) return null;
  const bucket = to - from <= MOST_DAYS.hour * DAY + HOUR ? 'hour' : 'day';
  const cut = to - from > MOST_DAYS[bucket] * DAY + HOUR;
  return {
    bucket,
    from: new Date(cut ? to - MOST_DAYS.day * DAY : from).toISOString(),
    to: new Date(to).toISOString(),
    cut,
  };
}

export function spanOf({ span }: Address): SpanName {
  return span !== undefined && span in SPANS ? (span as SpanName) : 'day';
}
