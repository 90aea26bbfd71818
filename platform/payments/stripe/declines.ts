import type { Decline } from '../../../domain/payments/top-up.ts';

/** Codes of Stripe's tables, by what they mean for another try. */
const CODES = {
  insufficient_funds: 'insufficient_funds card_velocity_exceeded withdrawal_count_limit_exceeded',
  authentication_required:
    'authentication_required authentication_not_handled mobile_device_authentication_required offline_pin_required online_or_offline_pin_required',
  card_expired: 'expired_card invalid_expiry_month invalid_expiry_year',
  card_unusable:
    'lost_card stolen_card pickup_card restricted_card fraudulent merchant_blacklist card_not_supported currency_not_supported invalid_account new_account_information_available incorrect_number invalid_number security_violation transaction_not_allowed service_not_allowed not_permitted stop_payment_order revocation_of_authorization revocation_of_all_authorizations',
  bank_away: 'issuer_not_available processing_error try_again_later reenter_transaction',
} as const satisfies Partial<Record<Decline, string>>;

const MEANINGS = new Map(
  Object.entries(CODES).flatMap(([decline, codes]) => codes.split(' ').map((code) => [code, decline as Decline])),
);

/** @param codes the bank's code and Stripe's, the more exact one first. One that is not in a table is a decline. */
export function declineOf(...codes: readonly (string | null | undefined)[]): Decline {
  for (const code of codes) {
    const known = code == null ? undefined : MEANINGS.get(code);
    if (known !== undefined) return known;
  }
  return 'declined';
}
