import type { PurchaseState } from './purchase.ts';

/** What a provider's own list says happened within a time. All of it is text from outside. */
export interface Listed {
  /**
   * `payment`: money was taken. `checkout`: somebody finished paying. `change`: money was given back or disputed, or a
   * webhook about it was not heard.
   */
  readonly kind: 'payment' | 'checkout' | 'change';
  /** The purchase that it says it is of; null when it says none. */
  readonly purchaseId: string | null;
  readonly sessionId: string | null;
  readonly paymentId: string | null;
  /** What it took, of a `payment`; null of all else. */
  readonly taken: Taken | null;
}

export interface Taken {
  /** Smallest unit. */
  readonly amount: number;
  readonly currency: string;
  /** Milliseconds. */
  readonly at: number;
  /** What was given back since; null where the list does not say. */
  readonly refunded: number | null;
}

/** A purchase of ours that a list speaks of. */
export interface Known {
  readonly state: PurchaseState;
  readonly paymentId: string | null;
  /** What we know to be given back of it, in the smallest unit. */
  readonly refunded: number;
}

const SETTLED: ReadonlySet<PurchaseState> = new Set(['paid', 'partially_refunded', 'refunded']);

/**
 * What to do about an entry of a provider's list. `unmatched`: the money is no purchase's, so a person must look at it.
 * `look`: what is booked may not be what the provider says. `known`: it is, as far as the list tells.
 */
export function judgeListed(listed: Listed, known: Known | null): 'unmatched' | 'look' | 'known' {
  const isOther =
    known !== null && known.paymentId !== null && listed.paymentId !== null && known.paymentId !== listed.paymentId;
  if (known === null || isOther) return listed.kind === 'payment' ? 'unmatched' : 'known';
  if (listed.kind === 'change' || !SETTLED.has(known.state)) return 'look';
  const refunded = listed.taken?.refunded ?? null;
  return refunded === null || refunded === known.refunded ? 'known' : 'look';
}

/** What of a provider is watched: its webhooks, and the comparisons of the last hours and of the last days. */
export const PAYMENT_CHECKS = ['webhook', 'hourly', 'daily'] as const;
export type PaymentCheck = (typeof PAYMENT_CHECKS)[number];

/** How far back a comparison looks. */
export const COMPARED_HOURS = { hourly: 2, daily: 72 } as const satisfies Record<
  Exclude<PaymentCheck, 'webhook'>,
  number
>;
export type Comparison = keyof typeof COMPARED_HOURS;
