import type { DepositAccount } from './purchase.ts';
import type { RefundAccount } from './refund.ts';

/** Seals what must not be read in the database. */
export interface Vault {
  /** @param owner the id of the row that it belongs to. */
  seal(owner: string, text: string): Uint8Array;
  /** Null when it was sealed by another key, for another owner, or has been changed. */
  open(owner: string, sealed: Uint8Array): string | null;
}

/** What of a purchase is kept sealed. */
export interface PurchaseSecrets {
  readonly deposit: DepositAccount | null;
  readonly hookSecret: string | null;
  /** Where the refund that is under way goes. It is forgotten when the refund is over. */
  readonly refundTo: RefundAccount | null;
}

export const NO_SECRETS: PurchaseSecrets = { deposit: null, hookSecret: null, refundTo: null };
