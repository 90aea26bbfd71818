import type { Balance } from '../../domain/balance.ts';
import type { Period } from '../../domain/period.ts';
import type { Schedules } from '../../domain/schedules.ts';

/** An account as its lock holder sees it: nobody else can book, hold or roll over until the transaction ends. */
export interface LockedAccount {
  readonly accountId: number;
  /** Its owner, and the zone their wall clock shows now. */
  readonly userId: number;
  readonly timeZone: string;
  readonly periodId: number;
  readonly period: Period;
  readonly balance: Balance;
  /** Day on the account's wall clock, `YYYY-MM-DD`: where what is booked now shows in its history. */
  readonly today: string;
  /** The schedules known to be armed for the period. */
  readonly armed: Schedules;
}
