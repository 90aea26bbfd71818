import type { RefundFailure } from '../../../domain/payments/refund.ts';

/**
 * What a refused call says about the money. `unknown`: nothing, so the payment is looked at before the same is asked
 * again under the same key. `ours`: we asked wrongly, which somebody must mend.
 */
export type Outcome = 'declined' | 'gone' | 'ours' | 'unknown';

const DECLINED = new Set([
  'REJECT_CARD_PAYMENT',
  'REJECT_CARD_COMPANY',
  'REJECT_ACCOUNT_PAYMENT',
  'REJECT_TOSSPAY_INVALID_ACCOUNT',
  'INVALID_REJECT_CARD',
  'INVALID_STOPPED_CARD',
  'INVALID_CARD_LOST_OR_STOLEN',
  'INVALID_CARD_EXPIRATION',
  'INVALID_CARD_NUMBER',
  'INVALID_CARD_INSTALLMENT_PLAN',
  'INVALID_CARD_INSTALLMENT_AMOUNT',
  'NOT_ALLOWED_POINT_USE',
  'NOT_SUPPORTED_INSTALLMENT_PLAN_CARD_OR_MERCHANT',
  'NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN',
  'NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN_BELOW_AMOUNT',
  'BELOW_MINIMUM_AMOUNT',
  'INVALID_PASSWORD',
  'FDS_ERROR',
  'NOT_AVAILABLE_PAYMENT',
  'NOT_AVAILABLE_BANK',
  'RESTRICTED_TRANSFER_ACCOUNT',
  'UNAPPROVED_ORDER_ID',
]);
const GONE = new Set(['NOT_FOUND_PAYMENT_SESSION', 'NOT_FOUND_PAYMENT']);
const OURS = new Set([
  'INVALID_API_KEY',
  'UNAUTHORIZED_KEY',
  'INCORRECT_BASIC_AUTH_FORMAT',
  'INVALID_IDEMPOTENCY_KEY',
  'INVALID_REQUEST',
  'INVALID_ORDER_ID',
  'DUPLICATED_ORDER_ID',
]);

/** Of `confirm`. A code that is not in a table says nothing: only looking does. */
export function confirmOutcome(code: string): Outcome {
  if (DECLINED.has(code) || code.startsWith('EXCEED_MAX_')) return 'declined';
  if (GONE.has(code)) return 'gone';
  return OURS.has(code) ? 'ours' : 'unknown';
}

const REFUND_REFUSED = new Set([
  'NOT_CANCELABLE_AMOUNT',
  'NOT_CANCELABLE_PAYMENT',
  'NOT_CANCELABLE_PAYMENT_FOR_DORMANT_USER',
  'NOT_ALLOWED_PARTIAL_REFUND',
  'NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT',
  'EXCEED_MAX_REFUND_DUE',
  'EXCEED_CANCEL_AMOUNT_DISCOUNT_AMOUNT',
  'REFUND_REJECTED',
]);

/** Why `cancel` is refused for good; null when its code leaves it open. */
export function refundRefusal(code: string): RefundFailure | null {
  if (code.startsWith('INVALID_REFUND_ACCOUNT_')) return 'account_refused';
  return REFUND_REFUSED.has(code) ? 'refused' : null;
}
