import { monthOf, nextPeriod, type Instant, type Period } from './period.ts';

/**
 * What a firing of the monthly reset finds.
 * - `reset`: the period of its month has to be opened now.
 * - `already_reset`: a first touch of the account has opened it before.
 * - `past_month`: the firing is late, or a backfill, for a month that is over. Nothing is done.
 * - `not_due`: the open period lasts longer than its month, because its owner has moved east since it began. The first
 *   touch after its end resets it, or the daily repair.
 */
export type ResetOutcome = 'reset' | 'already_reset' | 'past_month' | 'not_due';

/**
 * The decision depends only on its arguments (G18), so that a firing may come late, twice or by backfill.
 * @param last the account's newest period, null when it has none. @param firedFor the nominal time of the firing.
 */
export function decideReset({
  last,
  firedFor,
  now,
  timeZone,
}: {
  last: Period | null;
  firedFor: Instant;
  now: Instant;
  timeZone: string;
}): ResetOutcome {
  const month = monthOf(firedFor, timeZone);
  const isOpen = last !== null && now < last.endsAt;
  const current = isOpen ? last.label : nextPeriod(last, now, timeZone).label;
  if (month < current) return 'past_month';
  if (!isOpen) return 'reset';
  return month === current ? 'already_reset' : 'not_due';
}
