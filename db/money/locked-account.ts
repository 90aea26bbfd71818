import type { Balance } from '../../domain/balance.ts';
import type { Instant, Period } from '../../domain/period.ts';
import type { Schedules } from '../../domain/schedules.ts';

/**
 * An account as the holder of its lock sees it: nobody else can book, hold or open a period until the transaction ends.
 */
export interface LockedAccount {
  readonly accountId: number;
  /** The owner, and the time zone that the owner has set now. */
  readonly userId: number;
  readonly timeZone: string;
  /** When it was read, by PostgreSQL's clock: behind the lock, so after the wait for it. */
  readonly now: Instant;
  readonly periodId: number;
  readonly period: Period;
  readonly balance: Balance;
  /** Day on the account's wall clock, `YYYY-MM-DD`: the day under which a booking made now shows in the history. */
  readonly today: string;
  /** The schedules known to be armed for the period. */
  readonly armed: Schedules;
}
