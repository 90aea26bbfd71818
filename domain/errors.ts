/** Errors of a request, or of ours, with which no turn ends. */
const REQUEST_ERRORS = [
  'invalid_json',
  'invalid_request',
  'invalid_event_id',
  'unsupported_media_type',
  'payload_too_large',
  'unknown_model',
  'unauthorized',
  'forbidden',
  'insufficient_scope',
  'sign_in_required',
  'too_many_keys',
  'key_rotating',
  'not_found',
  'method_not_allowed',
  'rate_limited',
  'idempotency_conflict',
  'turn_not_failed',
  'nobody_waits',
  'answer_erased',
  'unsupported_parameter',
  'turn_erased',
  'confirm_required',
  'version_conflict',
  'too_many_open_purchases',
  'too_many_share_links',
  'amount_mismatch',
  'payment_pending',
  'payment_declined',
  'card_declined',
  'not_refundable',
  'code_invalid',
  'not_acceptable',
  'provider_unavailable',
  'channel_off',
  'file_refused',
  'file_quota_reached',
  'file_not_found',
  'file_attached',
  'model_sees_no_images',
  'overloaded',
  'internal',
] as const;

/** Codes with which a turn that was never admitted is refused. Nothing is bound, and the same key may be sent again. */
export const TURN_REFUSALS = [
  'TOKEN_EXHAUSTED',
  'KEY_CAP_REACHED',
  'tokens_held',
  'account_suspended',
  'unavailable',
] as const;

export type TurnRefusalCode = (typeof TURN_REFUSALS)[number];

/**
 * Codes with which an admitted turn fails. `true`: its person, an admin or a reset may run it again with a hope of
 * success.
 */
export const TURN_FAILURES = {
  conversation_busy: true,
  model_unavailable: true,
  model_rate_limited: true,
  model_timeout: true,
  interrupted: true,
  TOKEN_EXHAUSTED: true,
  // A retry may succeed once the cap is raised, or another period has begun.
  KEY_CAP_REACHED: true,
  // A retry may succeed once the account is resumed.
  account_suspended: true,
  model_rejected: false,
  content_filtered: false,
  context_length: false,
} as const;

export type TurnFailureCode = keyof typeof TURN_FAILURES;

export const TURN_FAILURE_CODES: readonly TurnFailureCode[] = Object.keys(TURN_FAILURES).filter(isTurnFailure);

export type ErrorCode = (typeof REQUEST_ERRORS)[number] | TurnRefusalCode | TurnFailureCode;

/**
 * The closed list of all error codes: the `code` of an HTTP error, the `error.code` of a turn and the admins' filter. A
 * new code goes into one of the lists above. The compiler then asks for its status (`api/http/errors.ts`), its
 * sentences (`domain/messages.ts`) and, for a failure, its type in Temporal (`workflows/contract/turn.ts`).
 */
export const ERROR_CODES: readonly ErrorCode[] = [
  ...new Set([...REQUEST_ERRORS, ...TURN_REFUSALS, ...TURN_FAILURE_CODES]),
];

export function isTurnFailure(code: string): code is TurnFailureCode {
  return Object.hasOwn(TURN_FAILURES, code);
}

export function isTurnRefusal(code: string): code is TurnRefusalCode {
  return TURN_REFUSALS.some((known) => known === code);
}

/**
 * An expected refusal, which reaches the reader as a flat error with this code. Anything else that is thrown is a 500.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  /**
   * Fields merged into the flat error, such as `{retryAfter: 5}` or the figures of a refusal. Never secrets or chat
   * text.
   */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, details: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.details = details;
  }
}
