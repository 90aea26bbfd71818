import type { Instant } from '../period.ts';

export const TOP_UP_STATES = ['on', 'paused', 'off'] as const;
export type TopUpState = (typeof TOP_UP_STATES)[number];

/** `charge` buys the pack with a kept card. `remind` only says, by mail, that it is time to buy. */
export const TOP_UP_WAYS = ['charge', 'remind'] as const;
export type TopUpWay = (typeof TOP_UP_WAYS)[number];

/** Why a bank refused a kept card, as far as people are told. A provider's own codes stay in its adapter. */
export const DECLINES = [
  'declined',
  'insufficient_funds',
  'authentication_required',
  'card_expired',
  'card_unusable',
  /** The bank or its network was away; nobody refused anything. */
  'bank_away',
] as const;
export type Decline = (typeof DECLINES)[number];

/** Asking again with the same card leads nowhere, or to a blocked merchant. */
const FINAL: ReadonlySet<Decline> = new Set(['authentication_required', 'card_expired', 'card_unusable']);

/** Why automatic buying stands still until its person does something. */
export const TOP_UP_PAUSES = [
  ...DECLINES,
  /** The card was removed, here or at the provider. */
  'card_gone',
  /** The pack is not sold any more as it was when it was chosen. */
  'pack_changed',
  /** The person has given tokens back. */
  'refunded',
  /** What was paid is not what was asked for: an admin sees to it. */
  'mismatch',
] as const;
export type TopUpPause = (typeof TOP_UP_PAUSES)[number];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** After a decline the claim is kept for so long: attempts at 0, 1, 3 and 7 hours. After the last one it is paused. */
const PAUSES_MS = [HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS];
/** In any 24 hours. */
export const MOST_TOP_UPS_A_DAY = 5;
/** How long nobody asks again after a look that led to nothing, or to a reminder. */
const QUIET_MS = HOUR_MS;

/** An account at the moment of a look, under its lock. Money in the smallest unit of the pack's currency. */
export interface TopUpFacts {
  readonly state: TopUpState;
  readonly way: TopUpWay;
  readonly belowTokens: number;
  readonly remainingTokens: number;
  readonly debtTokens: number;
  /** Whether an admin has suspended the account, so that it could use nothing of what it buys. */
  readonly isSuspended: boolean;
  /** Whether a purchase of the account is disputed, or was lost to a dispute. */
  readonly isDisputed: boolean;
  /** Whether the pack is sold as it was when it was chosen. */
  readonly isSold: boolean;
  readonly amount: number;
  readonly monthlyLimit: number;
  /** What automatic purchases of this month cost, those under way included. */
  readonly spentThisMonth: number;
  readonly monthEndsAt: Instant;
  /** When those of the last 24 hours were made, the oldest first. */
  readonly madeToday: readonly Instant[];
  readonly claimedUntil: Instant | null;
  readonly now: Instant;
}

export type TopUpStep =
  | { readonly do: 'charge' | 'remind' }
  | { readonly do: 'pause'; readonly why: TopUpPause }
  | {
      readonly do: 'nothing';
      readonly why: TopUpRest;
      /** Until then nobody needs to look; null: until the balance falls again. */
      readonly until: Instant | null;
    };

export const TOP_UP_RESTS = [
  'off',
  'enough',
  'claimed',
  'suspended',
  'debt',
  'disputed',
  'monthly_limit',
  'daily_limit',
] as const;
export type TopUpRest = (typeof TOP_UP_RESTS)[number];

/** What a look at an account leads to. It is decided under the account's lock, which keeps the claim. */
export function decideTopUp(facts: TopUpFacts): TopUpStep {
  const { state, way, now, claimedUntil, amount, madeToday } = facts;
  const rest = (why: TopUpRest, until: Instant | null = null): TopUpStep => ({ do: 'nothing', why, until });
  if (state !== 'on') return rest('off');
  if (facts.remainingTokens >= facts.belowTokens) return rest('enough');
  if (claimedUntil !== null && claimedUntil > now) return rest('claimed', claimedUntil);
  if (facts.isSuspended) return rest('suspended', now + QUIET_MS);
  if (!facts.isSold) return { do: 'pause', why: 'pack_changed' };
  if (way === 'remind') return { do: 'remind' };
  // Nobody's card pays for what a bank has taken back.
  if (facts.isDisputed) return rest('disputed', now + QUIET_MS);
  if (facts.debtTokens > 0) return rest('debt', now + QUIET_MS);
  if (facts.spentThisMonth + amount > facts.monthlyLimit) return rest('monthly_limit', facts.monthEndsAt);
  const oldest = madeToday.at(-MOST_TOP_UPS_A_DAY);
  if (oldest !== undefined) return rest('daily_limit', oldest + DAY_MS);
  return { do: 'charge' };
}

export const TOP_UP_OUTCOMES = ['paid', 'declined', 'card_gone', 'mismatch', 'unwanted'] as const;
/** How an attempt ended. `unwanted`: it never reached the provider, and is not needed any more. */
export type TopUpOutcome = (typeof TOP_UP_OUTCOMES)[number];

export interface AfterTopUp {
  readonly declines: number;
  readonly claimedUntil: Instant | null;
  readonly pause: TopUpPause | null;
}

/** What follows an attempt. A provider that is away ends none, so that it counts as nothing. */
export function decideAfterTopUp(
  { outcome, decline }: { outcome: TopUpOutcome; decline: Decline | null },
  { declines, now }: { declines: number; now: Instant },
): AfterTopUp {
  if (outcome === 'paid' || outcome === 'unwanted')
    return { declines: outcome === 'paid' ? 0 : declines, claimedUntil: null, pause: null };
  if (outcome !== 'declined') return { declines, claimedUntil: null, pause: outcome };
  const why = decline ?? 'declined';
  if (why === 'bank_away') return { declines, claimedUntil: now + QUIET_MS, pause: null };
  const pauseMs = FINAL.has(why) ? undefined : PAUSES_MS[declines];
  if (pauseMs === undefined) return { declines: declines + 1, claimedUntil: null, pause: why };
  return { declines: declines + 1, claimedUntil: now + pauseMs, pause: null };
}

/** How long nobody reminds again, whatever was told. */
export function remindedUntil(now: Instant): Instant {
  return now + QUIET_MS;
}

/** Whether what paused it is over only with another card, or a purchase that was paid. */
export function isCardsFault(pause: TopUpPause): boolean {
  return DECLINES.some((decline) => decline === pause) || pause === 'card_gone';
}
