import type { Currency } from '../../domain/payments/money.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';
import type { Listed } from '../../domain/payments/listed.ts';
import type { Look } from '../../domain/payments/purchase.ts';
import type { CardKeeper } from './cards.ts';
import type { RefundAccount, RefundFailure } from '../../domain/payments/refund.ts';

/** A purchase, as far as its provider needs it. */
export interface ToPay {
  /** The provider knows the purchase by this id. */
  readonly purchaseId: string;
  readonly amount: number;
  readonly currency: Currency;
  /** The provider's name of the checkout, when it has been asked before. */
  readonly sessionId: string | null;
  /** What the buyer reads on the provider's page, by language. */
  readonly names: { readonly ko: string; readonly en: string };
  /** Whoever pays, as the provider may know them: a UUID that leads nowhere else. */
  readonly customerKey: string;
  readonly expiresAt: number;
  /** Where the browser comes back to. */
  readonly returnUrl: string;
  readonly locale: 'ko' | 'en';
}

/** What the browser does next. */
export type Checkout =
  | { readonly kind: 'redirect'; readonly url: string }
  | {
      readonly kind: 'toss';
      readonly clientKey: string;
      readonly customerKey: string;
      readonly orderId: string;
      readonly amount: number;
      readonly currency: Currency;
      readonly orderName: string;
      /** Where the browser loads the payment window. */
      readonly scriptUrl: string;
    };

/** A purchase that the provider may know. */
export interface AtProvider {
  readonly purchaseId: string;
  readonly sessionId: string | null;
  readonly paymentId: string | null;
  /** Whom the provider charges without asking them; null of what the buyer pays themselves. */
  readonly customer: string | null;
  readonly amount: number;
  readonly currency: Currency;
  readonly livemode: boolean;
  readonly expiresAt: number;
}

export interface ToRefund {
  /** The provider's key of this refund: sent again, it is the same refund. */
  readonly refundId: string;
  readonly amount: number;
  /** Where a deposit is paid back to; null for what goes back the way it came. */
  readonly account: RefundAccount | null;
}

/**
 * Whoever takes money. Each call has a limit of its own and a key that follows from our ids. An answer that does not
 * come leaves the outcome open: the payment is looked at before anything is asked again.
 */
export interface PaymentProvider {
  readonly name: ProviderName;
  /** Whether it takes real money. */
  readonly livemode: boolean;
  /** Whether a refund of a deposit must say to which account it goes. */
  readonly asksForRefundAccount: boolean;
  takes(currency: Currency): boolean;
  /** @throws ProviderUnavailable, PaymentRefused. */
  checkout(purchase: ToPay): Promise<{ readonly checkout: Checkout; readonly sessionId: string | null }>;
  /** Reads the whole payment. @throws ProviderUnavailable. */
  look(purchase: AtProvider): Promise<Look>;
  /**
   * What a webhook is about. Nothing else of it is used: a provider that does not sign is believed no more than anyone.
   * @returns null when it is forged; a hint that names nothing when it is none of ours.
   */
  hear(headers: Readonly<Record<string, unknown>>, body: Buffer): Hint | null;
  /**
   * Takes the money of a payment that the buyer has agreed to: the look says `pending` and the buyer has come back with
   * it. Only for providers whose browser brings back a payment that we must confirm.
   * @throws ProviderUnavailable (the outcome is open), PaymentRefused (it is final).
   */
  confirm?(purchase: AtProvider & { readonly paymentId: string }): Promise<void>;
  /** Absent where no card is kept. */
  readonly cards?: CardKeeper;
  /** @throws ProviderUnavailable (the outcome is open), RefundRefused (it is final). */
  refund(purchase: AtProvider, refund: ToRefund): Promise<void>;
  /**
   * What the provider's own lists say happened within a time: the comparison with our books, which needs no webhook.
   * @param window milliseconds. @throws ProviderUnavailable, also for a list that does not end.
   */
  list(window: { readonly from: number; readonly to: number }): Promise<readonly Listed[]>;
}

/** What a webhook is about. All of it is text from outside. */
export interface Hint {
  readonly eventId: string | null;
  readonly type: string;
  readonly purchaseId: string | null;
  readonly sessionId: string | null;
  readonly paymentId: string | null;
  /** What proves that a deposit's webhook is the provider's; null when nothing does. */
  readonly secret: string | null;
}

/** The provider did not answer, or not in a way that says what happened. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable';
}

/** The payment did not come about. */
export class PaymentRefused extends Error {
  override readonly name = 'PaymentRefused';
}

/** The money stays where it is. */
export class RefundRefused extends Error {
  override readonly name = 'RefundRefused';
  readonly failure: RefundFailure;

  constructor(failure: RefundFailure) {
    super(failure);
    this.failure = failure;
  }
}
