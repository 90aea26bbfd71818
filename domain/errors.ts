/**
 * The closed list of all error codes: what an HTTP error's `code`, a turn's `error.code` and the admins' filter may
 * say. `api/http/errors.ts` gives each its status; `domain/messages.ts` gives each its sentences.
 */
export const ERROR_CODES = [
  // the request
  'invalid_json',
  'invalid_request',
  'invalid_event_id',
  'unsupported_media_type',
  'payload_too_large',
  'unknown_model',
  'unauthorized',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'rate_limited',
  // sending
  'TOKEN_EXHAUSTED',
  'tokens_held',
  'conversation_busy',
  'idempotency_conflict',
  'turn_not_failed',
  'account_suspended',
  'confirm_required',
  'overloaded',
  'unavailable',
  // how a turn fails
  'model_unavailable',
  'model_rate_limited',
  'model_timeout',
  'model_rejected',
  'content_filtered',
  'context_length',
  'interrupted',
  // our own fault
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** How an admitted turn can fail; `true` = its person, an admin or a reset may run it again with a hope of success. */
export const TURN_FAILURES = {
  model_unavailable: true,
  model_rate_limited: true,
  model_timeout: true,
  interrupted: true,
  TOKEN_EXHAUSTED: true,
  conversation_busy: true,
  // Once it is resumed.
  account_suspended: true,
  model_rejected: false,
  content_filtered: false,
  context_length: false,
} as const satisfies Partial<Record<ErrorCode, boolean>>;

export type TurnFailureCode = keyof typeof TURN_FAILURES;

/** An expected refusal: it reaches the reader as a flat error with this code. Anything else that is thrown is a 500. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  /** Merged into the flat error, e.g. `{retryAfter: 5}` or the figures of a refusal. Never secrets, never chat text. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, details: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.details = details;
  }
}
