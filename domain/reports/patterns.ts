import { dayOf, wallClock, type Instant } from '../period.ts';

const DAY_MS = 86_400_000;
/** Days before a day by which it is judged, and the fewest that can tell. */
const WINDOW_DAYS = 28;
const LEAST_DAYS = 7;
const DEVIATIONS = 4;
/** Where more than half of the days are alike, the median deviation is 0 and the mean one stands for it. */
const MEAN_FOR_MEDIAN = 1.253_314;

/** The days of a period on the wall clock, oldest first. A day of 23 or 25 hours is one day. */
export function daysBetween(startsAt: Instant, endsAt: Instant, timeZone: string): string[] {
  const days: string[] = [];
  const last = dayOf(endsAt - 1, timeZone);
  for (let day = dayOf(startsAt, timeZone); day <= last; day = dayAfter(day, 1)) days.push(day);
  return days;
}

/** @param day `YYYY-MM-DD`. */
export function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

export function monthBefore(label: string): string {
  return dayAfter(`${label}-01`, -1).slice(0, 7);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? 0) + upper) / 2 : upper;
}

/**
 * Days above median + 4 × the median absolute deviation of up to 28 days before. Days without use count; days before
 * the first use do not. With fewer than 7 days before it, a day is not judged.
 * @param used debited tokens by day.
 * @param least a day of fewer tokens is never called unusual.
 */
export function unusualDays(
  days: readonly string[],
  { used, firstDay, least }: { used: ReadonlyMap<string, number>; firstDay: string; least: number },
): { day: string; debitedTokens: number; usualTokens: number }[] {
  return days.flatMap((day) => {
    const debitedTokens = used.get(day) ?? 0;
    const before: number[] = [];
    for (let back = 1; back <= WINDOW_DAYS; back++) {
      const earlier = dayAfter(day, -back);
      if (earlier >= firstDay) before.push(used.get(earlier) ?? 0);
    }
    if (before.length < LEAST_DAYS || debitedTokens < least) return [];
    const usual = median(before);
    const off = before.map((tokens) => Math.abs(tokens - usual));
    const deviation = median(off) || MEAN_FOR_MEDIAN * (off.reduce((sum, one) => sum + one, 0) / off.length);
    return debitedTokens > usual + DEVIATIONS * deviation
      ? [{ day, debitedTokens, usualTokens: Math.round(usual) }]
      : [];
  });
}

/**
 * Days on which an account stood at 90 % or more at some time: it came there, or began the day there.
 * @param standing of days with bookings, oldest first: whether it was there at any time, and at the day's end.
 */
export function daysStanding(
  days: readonly string[],
  standing: readonly { readonly day: string; readonly wasThere: boolean; readonly isThere: boolean }[],
): string[] {
  const byDay = new Map(standing.map((one) => [one.day, one]));
  const all = [...new Set([...days, ...byDay.keys()])].sort();
  let isThere = false;
  return all.filter((day) => {
    const moved = byDay.get(day);
    const was = isThere || moved?.wasThere === true;
    isThere = moved?.isThere ?? isThere;
    return was;
  });
}

/**
 * How far forecasts of a period were off, in days to the tenth: the median. Tokens that last run out at the period's
 * end for both sides.
 */
export function forecastError(
  forecasts: readonly (Instant | null)[],
  { depletedAt, endsAt }: { depletedAt: Instant | null; endsAt: Instant },
): number | null {
  if (forecasts.length === 0) return null;
  const real = depletedAt ?? endsAt;
  const errors = forecasts.map((said) => Math.abs((said ?? endsAt) - real) / DAY_MS);
  return Math.round(median(errors) * 10) / 10;
}

/** When tokens run out that are used at an even pace; null when they last. */
export function depletionAtPace({
  from,
  until,
  tokens,
  usedTokens,
  withinMs,
}: {
  from: Instant;
  until: Instant;
  tokens: number;
  usedTokens: number;
  withinMs: number;
}): Instant | null {
  if (usedTokens === 0) return null;
  const at = from + Math.floor((tokens / usedTokens) * Math.max(DAY_MS, withinMs));
  return at < until ? at : null;
}

const MORNING_HOUR = 9;

/** 9 o'clock of an instant's day on the wall clock. No zone has a gap or a repeat of daylight saving near it. */
export function morningOf(at: Instant, timeZone: string): Instant {
  const wanted = Date.parse(dayOf(at, timeZone)) + MORNING_HOUR * 3_600_000;
  // What the clock shows at the UTC time of that name is off by the zone; once more, in case the zone changed between.
  const near = wanted - (wallClock(wanted, timeZone) - wanted);
  return wanted - (wallClock(near, timeZone) - near);
}
