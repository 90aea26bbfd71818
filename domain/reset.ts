import { monthOf, nextPeriod, type Instant, type Period } from './period.ts';

/**
 * What a firing of the monthly reset finds.
 * `reset`: the period of its month is to be opened now. `already_reset`: the first touch came before it. `past_month`:
 * it fires late or by backfill for a month that is over; nothing is done. `not_due`: the open period lasts longer than
 * its month, because its owner moved east since it began; the first touch after its end resets it.
 */
export type ResetOutcome = 'reset' | 'already_reset' | 'past_month' | 'not_due';

/**
 * Pure (G18), so that a firing may come late, twice or by backfill.
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
