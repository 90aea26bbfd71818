import { wallClock, type Instant } from './period.ts';

/** How fast an account has used tokens lately. */
export interface Pace {
  /** When the account's first debit was booked; null before it. */
  readonly firstDebitAt: Instant | null;
  /**
   * Debited tokens by local day (`YYYY-MM-DD`; a day may appear more than once), for today and the six days before at
   * least.
   */
  readonly debits: readonly { readonly day: string; readonly tokens: number }[];
}

const HOUR = 3_600_000;
const LEAST_DATA = 24 * HOUR;
const DAYS_BEFORE_TODAY = 6;

/**
 * When the remaining tokens run out if they are used as in the last 7 days; null when they last until the reset.
 *
 * The pace is the tokens debited today and on the six days before (days on the account's wall clock), divided by the
 * time from the beginning of the first of those days until now. Where the account's first debit came later, the time
 * counts from that debit. So a quiet weekend counts, an account that came back after months is not taken for a busy
 * one, and a new account is judged by its own days only. Adjustments and holds do not count. Tokens that are used up
 * have run out now. Where a clock was put forward or back within the 7 days, the time is off by that hour.
 *
 * With less than 24 hours since the first debit there is no forecast (null): one busy hour says nothing about a month.
 */
export function forecastDepletion({
  now,
  timeZone,
  remaining,
  resetsAt,
  pace,
}: {
  now: Instant;
  timeZone: string;
  remaining: number;
  resetsAt: Instant;
  pace: Pace;
}): Instant | null {
  const dataMs = pace.firstDebitAt === null ? 0 : now - pace.firstDebitAt;
  if (dataMs < LEAST_DATA) return null;
  if (remaining === 0) return now;
  const wall = wallClock(now, timeZone);
  const firstDay = new Date(wall - DAYS_BEFORE_TODAY * 24 * HOUR).toISOString().slice(0, 10);
  const used = pace.debits.reduce((sum, { day, tokens }) => (day >= firstDay ? sum + tokens : sum), 0);
  if (used === 0) return null;
  const elapsed = Math.min(wall - Date.parse(firstDay), dataMs);
  const depletesAt = now + Math.floor((remaining / used) * elapsed);
  return depletesAt < resetsAt ? depletesAt : null;
}
