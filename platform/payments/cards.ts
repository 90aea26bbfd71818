import type { CardShown } from '../../domain/payments/kept-card.ts';
import type { Currency } from '../../domain/payments/money.ts';
import type { Decline } from '../../domain/payments/top-up.ts';

/** A card that its owner is about to give to the provider. */
export interface ToKeep {
  /** The provider knows the card's form by this id: a UUID. */
  readonly methodId: string;
  /** The account, as the provider may know it: a UUID that leads nowhere else, and the provider's name once known. */
  readonly customer: { readonly key: string; readonly ref: string | null };
  /** Where the browser comes back to. */
  readonly returnUrl: string;
  readonly locale: 'ko' | 'en';
}

/** What the provider keeps. `ref` is by what the card is charged; nobody but the adapter and the vault sees it. */
export type KeptCard = CardShown & { readonly ref: string };

/** A purchase that nobody is there to confirm. */
export interface ToCharge {
  readonly purchaseId: string;
  readonly accountId: number;
  readonly customer: string;
  readonly cardRef: string;
  readonly amount: number;
  readonly currency: Currency;
}

/** A provider that keeps cards and charges them without their owner. Limits and keys are as of all its calls. */
export interface CardKeeper {
  /** @throws ProviderUnavailable. */
  openForm(card: ToKeep): Promise<{ readonly url: string; readonly sessionId: string; readonly customerRef: string }>;
  /** Null while its owner has not finished the form, or never will. @throws ProviderUnavailable. */
  readForm(form: { readonly methodId: string; readonly sessionId: string }): Promise<KeptCard | null>;
  /**
   * Asks for the money, once: sent again for the same purchase it is the same payment.
   * @returns the provider's name of the payment, whatever became of it: its look says that.
   * @throws ProviderUnavailable (the outcome is open), CardRefused (no payment came about).
   */
  charge(purchase: ToCharge): Promise<{ readonly paymentId: string }>;
  /** A card that it does not know is forgotten already. @throws ProviderUnavailable. */
  forget(cardRef: string): Promise<void>;
}

/** The card cannot be charged, and no payment was made of it. */
export class CardRefused extends Error {
  override readonly name = 'CardRefused';
  readonly why: Decline | 'card_gone';

  /** @param code a word of the provider's table, for the log. */
  constructor(why: Decline | 'card_gone', code: string) {
    super(code);
    this.why = why;
  }
}
