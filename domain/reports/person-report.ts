import type { Instant } from '../period.ts';
import type { Advice } from './advice.ts';

/** The shape of what is stored; a later one tells how older ones are read. */
export const REPORT_VERSION = 1;

/** What turns used: in the model's tokens, and in `debitedTokens` as metered. */
export interface TurnSums {
  readonly turns: number;
  readonly promptTokens: number;
  /** Part of the prompt tokens. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly debitedTokens: number;
}

/**
 * One closed period of one account, as it is stored: figures, days and ids, no text of a chat. It never changes, so
 * what is written from it is the same a year later.
 */
export interface PersonReport {
  readonly version: typeof REPORT_VERSION;
  /** `YYYY-MM` */
  readonly label: string;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  /** The zone in which hours and the period's days are told: the account's when the report was made. */
  readonly timeZone: string;
  readonly usage: TurnSums & {
    /** Debits and adjustments: `usedTokens` of the period. */
    readonly usedTokens: number;
    readonly adjustedTokens: number;
    /** Part of the completion tokens. */
    readonly reasoningTokens: number;
    /** Debited tokens a turn, rounded; null without turns. */
    readonly meanTokens: number | null;
    /** Turns whose debit is our count. */
    readonly estimatedTurns: number;
  };
  readonly available: {
    readonly allowanceTokens: number;
    /** What was left of purchased tokens at the end. */
    readonly purchasedTokens: number;
    /** Allowance, purchased tokens left, and purchased tokens spent in the period. */
    readonly totalTokens: number;
    readonly usagePercent: number;
    readonly spentAllowanceTokens: number;
    readonly spentPurchasedTokens: number;
    readonly overageTokens: number;
  };
  /** What was booked beside turns. Each is apart: none is in the sums of turns. */
  readonly booked: {
    readonly grants: number;
    readonly grantedTokens: number;
    readonly reversals: number;
    readonly reversedTokens: number;
    readonly adjustments: number;
  };
  /** The month before; null in the first. */
  readonly before: Comparison | null;
  /** Days with bookings, oldest first, as the history has them. */
  readonly days: readonly (TurnSums & { readonly day: string; readonly usedTokens: number })[];
  /** Hours of the week with turns: Monday is 1, and 23 the last hour. */
  readonly hours: readonly {
    readonly weekday: number;
    readonly hour: number;
    readonly turns: number;
    readonly debitedTokens: number;
  }[];
  /** Models by tokens, the most first. */
  readonly models: readonly (TurnSums & { readonly model: string; readonly reasoningTokens: number })[];
  /** The ten turns that cost most. */
  readonly costliest: readonly (Omit<TurnSums, 'turns'> & {
    readonly turnId: string;
    readonly model: string;
    readonly bookedAt: Instant;
  })[];
  /** How much of what chats sent was earlier messages: about, by what first questions came to. Null without any. */
  readonly history: { readonly promptTokens: number; readonly historyTokens: number } | null;
  readonly limits: {
    /** Days on which the account stood at 90 % or more at some time. */
    readonly daysAt90: readonly string[];
    /** Questions refused because no tokens were left. */
    readonly blockedTurns: number;
  };
  readonly forecast: {
    /** When the next month's tokens run out if they are used as this month's were; null: they last. */
    readonly nextDepletesAt: Instant | null;
    /** What the next month began with. */
    readonly nextTokens: number;
    /** Days of this month for which a forecast was made. */
    readonly made: number;
    /** How far they were off, in days: the median. Null without forecasts. */
    readonly medianErrorDays: number | null;
    /** When nothing was left for the first time; null: something always was. */
    readonly depletedAt: Instant | null;
  };
  /** Days far above the four weeks before. */
  readonly unusual: readonly {
    readonly day: string;
    readonly debitedTokens: number;
    /** The median of the days before. */
    readonly usualTokens: number;
  }[];
  readonly advice: readonly Advice[];
}

export interface Comparison {
  readonly label: string;
  readonly turns: number;
  readonly debitedTokens: number;
  /** The same first days of both months: as many as the shorter one has. */
  readonly sameDays: {
    readonly days: number;
    readonly debitedTokens: number;
    readonly before: number;
  };
}
