import type { Balance } from './balance.ts';

export const LEVELS = ['NORMAL', 'NOTICE', 'WARNING', 'CRITICAL', 'BLOCKED'] as const;
export type Level = (typeof LEVELS)[number];

/** Room for a short question and a 256-token answer. An account with less room under the ceiling is BLOCKED. */
export const LEAST_ROOM = 400;
/**
 * What an account's empty answers may use within an hour of the clock without being paid, in the models' tokens (policy
 * 11). Beyond it they are charged, so that nobody lets a model think for nothing without end.
 */
export const MOST_UNPAID_TOKENS = 50_000;

/** The smallest output limit with which a turn is admitted, unless less was asked for. */
export const LEAST_OUTPUT = 256;
const CEILING_PERCENT = 105;

/** allowance (stored on the period) + purchased balance + purchased tokens spent in this period (policy 4). */
export function totalAvailable(balance: Balance): number {
  return balance.allowance + balance.purchased + balance.spentPurchased;
}

/** floor(total × 105 / 100): no admission commits the account beyond it (policy 5). */
export function ceilingOf(total: number): number {
  return Math.floor((total * CEILING_PERCENT) / 100);
}

/** Levels compare integers, so that 89.999 % is never rounded up into WARNING. */
export function levelOf(used: number, total: number): Level {
  if (used * 100 >= total * CEILING_PERCENT || ceilingOf(total) - used < LEAST_ROOM) return 'BLOCKED';
  if (used * 100 >= total * 95) return 'CRITICAL';
  if (used * 100 >= total * 90) return 'WARNING';
  if (used * 100 >= total * 80) return 'NOTICE';
  return 'NORMAL';
}

/** Percent used, floored to 0.01, so that the percentage shown never reaches a limit before the account does. */
export function usagePercent(used: number, total: number): number {
  return usageBasisPoints(used, total) / 100;
}

// The product is computed in BigInt, because used × 10^4 passes 2^53 from 9 × 10^11 tokens on.
function usageBasisPoints(used: number, total: number): number {
  if (total === 0) return 10_000;
  return Number((BigInt(used) * 10_000n) / BigInt(total));
}

/** The used tokens that `POST /api/ai-usage/test-usage` sets: min(ceil(total × percent / 100), ceiling). */
export function usedAtPercent(total: number, percent: number): number {
  // A percentage may have decimals (92.5), so hundredths of a percent keep the product an integer.
  const basisPoints = BigInt(Math.round(percent * 100));
  const product = BigInt(total) * basisPoints;
  const used = Number((product + 9_999n) / 10_000n);
  return Math.min(used, ceilingOf(total));
}

const MEAN_DEBIT_UNTIL_KNOWN = 900;
const DEBITS_UNTIL_KNOWN = 5;

/** How many more turns the remaining tokens pay for, by the mean debit of the last 20 settled turns. */
export function estimatedTurns(
  remaining: number,
  recentDebits: { readonly count: number; readonly sum: number },
): number {
  if (recentDebits.count < DEBITS_UNTIL_KNOWN || recentDebits.sum === 0)
    return Math.floor(remaining / MEAN_DEBIT_UNTIL_KNOWN);
  return Number((BigInt(remaining) * BigInt(recentDebits.count)) / BigInt(recentDebits.sum));
}
