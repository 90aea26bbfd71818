/**
 * The two buckets of an account and what the open period has used of them. All are metered tokens, integers ≥ 0. Two
 * things always hold: used = spentPurchased + spentAllowance + overage, and overage > 0 only while purchased = 0 and
 * the allowance is spent.
 */
export interface Balance {
  /** Free tokens of the period, as stored on it. */
  readonly allowance: number;
  /** Bought tokens that are not spent yet. They never expire and are used first. */
  readonly purchased: number;
  /** Tokens that a reversal could not take back. Later grants pay it. */
  readonly debt: number;
  readonly spentPurchased: number;
  readonly spentAllowance: number;
  /** Tokens used beyond both buckets and not paid by a grant yet. */
  readonly overage: number;
  /** All debits and adjustments booked in the period. */
  readonly used: number;
}

/**
 * What one ledger entry does to a balance: the deltas that the ledger stores and adds up. A delta that takes is written
 * `0 - x`, so that none is -0.
 */
export interface Posting {
  readonly purchased: number;
  readonly debt: number;
  readonly spentPurchased: number;
  readonly spentAllowance: number;
  readonly overage: number;
  readonly used: number;
}

/** Largest amount of one entry. Sums stay far below 2^53: a CHECK caps every counter at 10^14. */
export const MAX_TOKENS_PER_ENTRY = 1_000_000_000_000;

/** Purchased tokens first, then the allowance, then overage. One debit may span all three (policy 2, G24). */
export function decideDebit(balance: Balance, tokens: number): Posting {
  assertAmount(tokens);
  return spend(balance, tokens);
}

function spend(balance: Balance, tokens: number): Posting {
  const fromPurchased = Math.min(balance.purchased, tokens);
  const fromAllowance = Math.min(balance.allowance - balance.spentAllowance, tokens - fromPurchased);
  return posting({
    purchased: 0 - fromPurchased,
    spentPurchased: fromPurchased,
    spentAllowance: fromAllowance,
    overage: tokens - fromPurchased - fromAllowance,
    used: tokens,
  });
}

/** A grant pays the overage first, then the debt. The rest becomes purchased tokens (policy 4). */
export function decideGrant(balance: Balance, tokens: number): Posting {
  assertAmount(tokens);
  const paidOverage = Math.min(balance.overage, tokens);
  const paidDebt = Math.min(balance.debt, tokens - paidOverage);
  return posting({
    purchased: tokens - paidOverage - paidDebt,
    debt: 0 - paidDebt,
    spentPurchased: paidOverage,
    overage: 0 - paidOverage,
  });
}

/**
 * A reversal takes from the purchased balance down to 0, and the rest becomes debt. It never touches the allowance
 * (policy 4, G23).
 */
export function decideReversal(balance: Balance, tokens: number): Posting {
  assertAmount(tokens);
  const taken = Math.min(balance.purchased, tokens);
  return posting({ purchased: 0 - taken, debt: tokens - taken });
}

/** Sets `used` to a wanted value. Downwards it undoes a debit: overage first, then allowance, then purchased tokens. */
export function decideAdjustment(balance: Balance, wantedUsed: number): Posting {
  if (!Number.isSafeInteger(wantedUsed) || wantedUsed < 0) throw new RangeError('used tokens must be an integer >= 0');
  if (wantedUsed > balance.used) return spend(balance, wantedUsed - balance.used);
  const back = balance.used - wantedUsed;
  const overage = Math.min(balance.overage, back);
  const spentAllowance = Math.min(balance.spentAllowance, back - overage);
  const spentPurchased = back - overage - spentAllowance;
  return posting({
    purchased: spentPurchased,
    spentPurchased: 0 - spentPurchased,
    spentAllowance: 0 - spentAllowance,
    overage: 0 - overage,
    used: 0 - back,
  });
}

/** A new period starts with used 0. Purchased tokens and debt carry over, and overage is forgiven (policy 4). */
export function openBalance(last: Balance | null, allowance: number): Balance {
  return {
    allowance,
    purchased: last?.purchased ?? 0,
    debt: last?.debt ?? 0,
    spentPurchased: 0,
    spentAllowance: 0,
    overage: 0,
    used: 0,
  };
}

export function applyPosting(balance: Balance, delta: Posting): Balance {
  return {
    allowance: balance.allowance,
    purchased: balance.purchased + delta.purchased,
    debt: balance.debt + delta.debt,
    spentPurchased: balance.spentPurchased + delta.spentPurchased,
    spentAllowance: balance.spentAllowance + delta.spentAllowance,
    overage: balance.overage + delta.overage,
    used: balance.used + delta.used,
  };
}

function posting(deltas: Partial<Posting>): Posting {
  return { purchased: 0, debt: 0, spentPurchased: 0, spentAllowance: 0, overage: 0, used: 0, ...deltas };
}

function assertAmount(tokens: number): void {
  if (!Number.isSafeInteger(tokens) || tokens < 1 || tokens > MAX_TOKENS_PER_ENTRY)
    throw new RangeError('an amount of tokens must be an integer from 1 to 10^12');
}
