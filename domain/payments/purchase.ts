import { MOST_AMOUNT, type Currency } from './money.ts';
import type { PaymentMethod } from './provider.ts';
import type { Decline } from './top-up.ts';

/** What is bought, and what it costs. It is fixed when the purchase is made, whatever becomes of its pack. */
export interface Bought {
  /** A UUID. Providers know the purchase by it. */
  readonly purchaseId: string;
  /** What the price pays for. */
  readonly tokens: number;
  /** What comes on top, free of charge. A refund takes it first. */
  readonly bonusTokens: number;
  readonly currency: Currency;
  /** In the currency's smallest unit, tax included. */
  readonly amount: number;
  /** Whether the provider's real mode takes the money; false for its test mode and for the demo shop. */
  readonly livemode: boolean;
}

export const PURCHASE_STATES = [
  /** Nothing has been asked of the provider, or nobody has paid yet. */
  'created',
  /** The provider has the payment and has not decided. */
  'pending',
  /** A bank account waits for the buyer's deposit. */
  'awaiting_deposit',
  'paid',
  'partially_refunded',
  'refunded',
  /** The buyer's bank disputes the payment, or took the money back for good. */
  'disputed',
  'failed',
  'expired',
  /** The provider's payment is not the one that was asked for. Nothing moves until an admin has looked. */
  'mismatch',
] as const;
export type PurchaseState = (typeof PURCHASE_STATES)[number];

/** How far a payment has come at its provider, in the words that all providers share. */
export const PAYMENT_STAGES = ['open', 'pending', 'awaiting_deposit', 'paid', 'failed', 'expired'] as const;
export type PaymentStage = (typeof PAYMENT_STAGES)[number];

/** A refund as the provider has it. */
export interface SeenRefund {
  /** Our refund that asked for it; null when it was made at the provider, or cannot be told. */
  readonly refundId: string | null;
  /** Smallest unit. */
  readonly amount: number;
  /** `failed` gave the money back to us. `pending` is on its way to the buyer. */
  readonly state: 'pending' | 'succeeded' | 'failed';
}

/** One whole read of a payment at its provider. */
export interface Payment {
  readonly stage: PaymentStage;
  /** The id that we gave it: a purchase's. */
  readonly orderId: string;
  readonly currency: string;
  /** What it asks of the buyer. */
  readonly amount: number;
  readonly livemode: boolean;
  /** What the buyer has paid so far, before refunds and disputes. */
  readonly paid: number;
  readonly refunds: readonly SeenRefund[];
  /** What disputes have taken from us and not given back. */
  readonly withdrawn: number;
  /** Whether a dispute is open. */
  readonly isDisputed: boolean;
  /** Why it failed, in a word of ours; null unless it did. */
  readonly failure: PaymentFailure | null;
}

/** Why a payment did not come about, as far as the buyer is told. A provider's own codes stay in its adapter. */
export const PAYMENT_FAILURES = ['declined', 'cancelled', 'expired', 'deposit_failed', 'provider_error'] as const;
export type PaymentFailure = (typeof PAYMENT_FAILURES)[number];

/** What made us look. */
export const LOOK_SOURCES = ['return', 'webhook', 'timer', 'reconcile', 'refund', 'admin'] as const;
export type LookSource = (typeof LOOK_SOURCES)[number];

/** What one read of the provider says, with what is only for showing. */
export interface Look {
  readonly payment: Payment;
  /** The provider's own id of the payment; null while nobody has begun to pay. */
  readonly paymentId: string | null;
  readonly method: PaymentMethod | null;
  /** Until when a deposit may come. Milliseconds. */
  readonly dueAt: number | null;
  readonly receiptUrl: string | null;
  /** The receipt for the tax office (현금영수증); absent where the provider issues none. */
  readonly cashReceiptUrl?: string | null;
  /** Where the buyer's deposit goes; null unless one is awaited. Only the buyer sees it. */
  readonly deposit: DepositAccount | null;
  /** What the provider proves the webhook of a deposit by; null when it has none. */
  readonly hookSecret: string | null;
  /** Why a kept card was declined; absent unless it was. */
  readonly decline?: Decline;
}

export interface DepositAccount {
  readonly bank: string;
  readonly accountNumber: string;
  readonly holder: string | null;
}

/** A refund that we have asked for and whose outcome is not known yet. */
export interface AskedRefund {
  readonly refundId: string;
  readonly amount: number;
}

export interface Decision {
  readonly state: PurchaseState;
  /** How many tokens the purchase should have given by now; null leaves them as they are. */
  readonly tokens: number | null;
  /** Smallest unit, for the record of what was seen. */
  readonly paid: number;
  readonly refunded: number;
  readonly withdrawn: number;
}

/**
 * What a purchase is worth now. It depends only on what the provider says at present and on the refunds we still wait
 * for: neither on what was told before nor on the order of events. No state is final, for a payment may be approved,
 * deposited, refunded or disputed long after it seemed over.
 */
export function decidePurchase(bought: Bought, payment: Payment, asked: readonly AskedRefund[]): Decision {
  const money = moneyOf(payment);
  if (!isOurs(bought, payment)) return { state: 'mismatch', tokens: null, ...money };
  if (payment.stage !== 'paid') return { state: UNPAID[payment.stage], tokens: 0, ...money };
  const seen = new Set(payment.refunds.map(({ refundId }) => refundId));
  const waiting = asked.filter(({ refundId }) => !seen.has(refundId)).reduce((sum, { amount }) => sum + amount, 0);
  const kept = money.paid - money.refunded - money.withdrawn;
  return { state: paidState(payment, money), tokens: tokensFor(bought, kept - waiting), ...money };
}

/**
 * The tokens that stay when `kept` of the price stays with us. The free ones go first; of the others, the part that
 * was not paid for, in the buyer's favour.
 */
export function tokensFor({ tokens, bonusTokens, amount }: Bought, kept: number): number {
  if (kept >= amount) return tokens + bonusTokens;
  return kept <= 0 ? 0 : divideUp(tokens, kept, amount);
}

/** As much as the books' columns hold, and more than any price: what a provider says beyond it is no other amount. */
const MOST_TOLD = 2_147_483_647;

function moneyOf({ paid, refunds, withdrawn }: Payment): Pick<Decision, 'paid' | 'refunded' | 'withdrawn'> {
  const refunded = refunds.filter(({ state }) => state !== 'failed').reduce((sum, { amount }) => sum + amount, 0);
  return {
    paid: Math.min(paid, MOST_TOLD),
    refunded: Math.min(refunded, MOST_TOLD),
    withdrawn: Math.min(withdrawn, MOST_TOLD),
  };
}

/**
 * Whether an admin may take a payment of another amount for the price: it is the purchase's own, in its currency and
 * mode, and wholly paid.
 */
export function isAcceptable(bought: Bought, payment: Payment): boolean {
  const { stage, paid } = payment;
  return isOurs({ ...bought, amount: paid }, payment) && stage === 'paid' && paid > 0 && paid <= MOST_AMOUNT;
}

/** A payment of another amount, currency, purchase or mode is nobody's until a person has looked at it. */
function isOurs(bought: Bought, payment: Payment): boolean {
  return (
    payment.orderId === bought.purchaseId &&
    payment.currency === bought.currency &&
    payment.amount === bought.amount &&
    payment.livemode === bought.livemode &&
    (payment.stage !== 'paid' || payment.paid === bought.amount)
  );
}

const UNPAID = {
  open: 'created',
  pending: 'pending',
  awaiting_deposit: 'awaiting_deposit',
  failed: 'failed',
  expired: 'expired',
} as const satisfies Record<Exclude<PaymentStage, 'paid'>, PurchaseState>;

function paidState(
  { isDisputed }: Payment,
  { paid, refunded, withdrawn }: Pick<Decision, 'paid' | 'refunded' | 'withdrawn'>,
): PurchaseState {
  if (isDisputed || withdrawn > 0) return 'disputed';
  if (refunded === 0) return 'paid';
  return refunded >= paid ? 'refunded' : 'partially_refunded';
}

/** ceil(a × b / c), exact for what no double holds. */
function divideUp(a: number, b: number, c: number): number {
  const product = BigInt(a) * BigInt(b);
  const divisor = BigInt(c);
  return Number((product + divisor - 1n) / divisor);
}
