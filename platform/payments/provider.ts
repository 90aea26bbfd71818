import type { Currency } from '../../domain/payments/money.ts';
import type { PaymentMethod, ProviderName } from '../../domain/payments/provider.ts';
import type { Look } from '../../domain/payments/purchase.ts';
import type { RefundFailure } from '../../domain/payments/refund.ts';

/** A purchase, as far as its provider needs it. */
export interface ToPay {
  /** The provider knows the purchase by this id. */
  readonly purchaseId: string;
  readonly amount: number;
  readonly currency: Currency;
  /** What the buyer reads on the provider's page. */
  readonly name: string;
  readonly method: PaymentMethod | null;
  /** The account that pays, as the provider may know it: a UUID that leads nowhere else. */
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
      readonly scriptUrl: string | null;
    };

/** A purchase that the provider may know. */
export interface AtProvider {
  readonly purchaseId: string;
  readonly sessionId: string | null;
  readonly paymentId: string | null;
  readonly amount: number;
  readonly currency: Currency;
  readonly livemode: boolean;
  readonly expiresAt: number;
}

export interface ToRefund {
  /** The provider's key of this refund: sent again, it is the same refund. */
  readonly refundId: string;
  readonly amount: number;
  readonly reason: string;
  /** Where a deposit is paid back to; null for what goes back the way it came. */
  readonly account: RefundAccount | null;
}

export interface RefundAccount {
  readonly bank: string;
  readonly accountNumber: string;
  readonly holderName: string;
}

/**
 * Whoever takes money. Each call has a limit of its own and a key that follows from our ids. An answer that does not
 * come leaves the outcome open: the payment is looked at before anything is asked again.
 */
export interface PaymentProvider {
  readonly name: ProviderName;
  /** Whether it takes real money. */
  readonly livemode: boolean;
  takes(currency: Currency): boolean;
  /** Until when a purchase that is made at `now` may be paid. Milliseconds. */
  expiryOf(now: number): number;
  /** @throws ProviderUnavailable, PaymentRefused. */
  checkout(purchase: ToPay): Promise<{ readonly checkout: Checkout; readonly sessionId: string | null }>;
  /** Reads the whole payment. @throws ProviderUnavailable. */
  look(purchase: AtProvider): Promise<Look>;
  /**
   * Takes the money of a payment that the buyer has agreed to. Only for providers whose browser brings back a payment
   * that we must confirm.
   * @throws ProviderUnavailable (the outcome is open), PaymentRefused (it is final).
   */
  confirm?(purchase: AtProvider & { readonly paymentId: string }): Promise<void>;
  /** @throws ProviderUnavailable (the outcome is open), RefundRefused (it is final). */
  refund(purchase: AtProvider, refund: ToRefund): Promise<void>;
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
