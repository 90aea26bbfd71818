import type { BankCode } from './banks.ts';
import { tokensFor, type Bought } from './purchase.ts';

export const REFUND_STATES = ['requested', 'succeeded', 'failed'] as const;
export type RefundState = (typeof REFUND_STATES)[number];

/** Why the money stayed where it was, as far as people are told. */
export const REFUND_FAILURES = ['refused', 'account_refused', 'provider_error'] as const;
export type RefundFailure = (typeof REFUND_FAILURES)[number];

/** For how long a person may take back a purchase themselves (청약철회). */
export const OWN_REFUND_DAYS = 7;
const DAY_MS = 86_400_000;

/** What a person may have back of a purchase. */
export interface Refundable {
  /** The tokens that it takes. */
  readonly tokens: number;
  /** Smallest unit of the purchase's currency. */
  readonly amount: number;
}

/** Where a deposit is paid back to. */
export interface RefundAccount {
  readonly bank: BankCode;
  /** Digits. */
  readonly accountNumber: string;
  readonly holderName: string;
}

export const NOTHING: Refundable = { tokens: 0, amount: 0 };

/**
 * The tokens of a purchase that are still there. Purchases are used up in the order in which they were made, so what is
 * left of the balance belongs to the newest ones.
 * @param balance the account's purchased tokens now. @param later tokens of the purchases and grants after this one.
 * @param given what the purchase has given and nothing has taken back.
 */
export function unspentOf({ balance, later, given }: { balance: number; later: number; given: number }): number {
  return Math.max(0, Math.min(balance - later, given));
}

/**
 * What `unspent` tokens of a purchase are worth. The free ones among them go first and are worth nothing; the others
 * cost what they cost, rounded down to the smallest unit, so that the tokens that stay always cover what was spent.
 * @param kept what is still with us of the price.
 */
export function refundFor(bought: Bought, { unspent, kept }: { unspent: number; kept: number }): Refundable {
  const { tokens, bonusTokens, amount } = bought;
  const bonusLeft = kept >= amount ? bonusTokens : 0;
  const paidFor = unspent - bonusLeft;
  if (paidFor <= 0) return NOTHING;
  const worth = Math.min(kept, Number((BigInt(amount) * BigInt(paidFor)) / BigInt(tokens)));
  if (worth <= 0) return NOTHING;
  return { tokens: tokensFor(bought, kept) - tokensFor(bought, kept - worth), amount: worth };
}

/** Until when a person may ask for it. Milliseconds. */
export function ownRefundUntil(paidAt: number): number {
  return paidAt + OWN_REFUND_DAYS * DAY_MS;
}
