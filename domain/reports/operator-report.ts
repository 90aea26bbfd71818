import type { Currency } from '../payments/money.ts';
import type { Instant } from '../period.ts';
import type { TurnSums } from './person-report.ts';

/** The shape of what is stored. */
export const OPERATOR_REPORT_VERSION = 1;

/**
 * A month of all accounts, once it is over for everybody. What was used counts by the accounts' own periods of that
 * label, so it is the sum of their reports; calls count by the calendar month of UTC.
 */
export interface OperatorReport {
  readonly version: typeof OPERATOR_REPORT_VERSION;
  readonly label: string;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly usage: TurnSums & {
    readonly usedTokens: number;
    readonly adjustedTokens: number;
    readonly overageTokens: number;
    readonly spentPurchasedTokens: number;
    /** Accounts with a debit. */
    readonly activeAccounts: number;
    /** Debits of the calendar month, and how many of them were flagged. */
    readonly debits: number;
    readonly estimatedTurns: number;
    readonly overHoldTurns: number;
    readonly ceilingMovedTurns: number;
  };
  readonly sales: {
    /** Accounts that bought something with real money. */
    readonly payers: number;
    readonly grantedTokens: number;
    readonly reversedTokens: number;
    readonly revenue: readonly { readonly currency: Currency; readonly paid: number; readonly refunded: number }[];
  };
  /** What providers charge by the catalogue’s prices when the report was made. */
  readonly cost: {
    /** In micros: millionths of a won or a dollar. */
    readonly known: readonly {
      readonly currency: Currency;
      readonly micros: number;
      /** Part of it, for calls that nobody was debited for. */
      readonly lostMicros: number;
    }[];
    readonly callsWithoutPrice: number;
  };
  readonly models: readonly (TurnSums & {
    readonly model: string;
    readonly calls: number;
    /** Calls whose tokens nobody was debited for, and what they used. */
    readonly lostCalls: number;
    readonly lostTokens: number;
    readonly errors: readonly { readonly code: string; readonly calls: number }[];
  })[];
  /** Accounts that ran out in the month before, and how many of them bought within 30 days. */
  readonly cohort: { readonly ranOut: number; readonly boughtWithin30Days: number };
  readonly limits: { readonly blockedAccounts: number; readonly blockedTurns: number };
  /** Forecasts by how far before the end they were made. */
  readonly calibration: readonly {
    readonly daysBefore: string;
    readonly forecasts: number;
    readonly medianErrorDays: number;
  }[];
}
