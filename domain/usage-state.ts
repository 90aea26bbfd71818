import type { Balance } from './balance.ts';
import { estimatedTurns, levelOf, totalAvailable, usagePercent, type Level } from './policy.ts';
import type { Instant, Period } from './period.ts';

/**
 * An account's tokens and the level that follows from them. They come from one consistent reading, under its lock or in
 * one snapshot (G7).
 */
export interface UsageFigures {
  readonly period: Period;
  readonly allowanceTokens: number;
  readonly purchasedTokens: number;
  readonly totalAvailable: number;
  readonly usedTokens: number;
  readonly heldTokens: number;
  readonly remainingTokens: number;
  readonly usagePercent: number;
  readonly level: Level;
  readonly canSend: boolean;
  readonly estimatedTurns: number;
  readonly resetsAt: Instant;
}

/** All that an account is shown about its tokens. */
export interface UsageState extends UsageFigures {
  /** When the tokens run out, from `forecastDepletion`. */
  readonly depletesAt: Instant | null;
  /** Whether an admin has suspended the account: nothing is admitted then, whatever `canSend` says of its tokens. */
  readonly suspended: boolean;
  /** When it was read. */
  readonly asOf: Instant;
}

export interface UsageReading {
  readonly period: Period;
  readonly balance: Balance;
  /** Sum of live holds. */
  readonly heldTokens: number;
  /** Count and sum of the debits of the last 20 settled turns. */
  readonly recentDebits: { readonly count: number; readonly sum: number };
}

export function describeUsage({ period, balance, heldTokens, recentDebits }: UsageReading): UsageFigures {
  const total = totalAvailable(balance);
  const remaining = Math.max(0, total - balance.used);
  const level = levelOf(balance.used, total);
  return {
    period,
    allowanceTokens: balance.allowance,
    purchasedTokens: balance.purchased,
    totalAvailable: total,
    usedTokens: balance.used,
    heldTokens,
    remainingTokens: remaining,
    usagePercent: usagePercent(balance.used, total),
    level,
    canSend: level !== 'BLOCKED',
    estimatedTurns: estimatedTurns(remaining, recentDebits),
    resetsAt: period.endsAt,
  };
}

/** The warning that each answer carries from 90 % on. The API puts the sentence into the reader's language. */
export interface Warning {
  readonly level: Exclude<Level, 'NORMAL' | 'NOTICE'>;
  readonly percentLeft: number;
  readonly remainingTokens: number;
  readonly estimatedTurns: number;
}

export function decideWarning(state: UsageFigures): Warning | null {
  if (state.level === 'NORMAL' || state.level === 'NOTICE') return null;
  return {
    level: state.level,
    percentLeft: Math.max(0, Math.floor((10_000 - Math.round(state.usagePercent * 100)) / 100)),
    remainingTokens: state.remainingTokens,
    estimatedTurns: state.estimatedTurns,
  };
}
