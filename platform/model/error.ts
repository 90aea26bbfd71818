import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { TURN_FAILURES, type TurnFailureCode } from '../../domain/errors.ts';
import { machineWordOf, type ProviderError } from '../../domain/provider-error.ts';

export interface ModelErrorClass {
  readonly code: TurnFailureCode;
  readonly retryable: boolean;
  /** The wait that the provider asked for, at most a minute. */
  readonly retryAfterMs: number | null;
}

const LONGEST_RETRY_AFTER_MS = 60_000;

/** A provider's `code` or `type`, where it says more than the status: several of these errors arrive as 400 or 429. */
const BY_WORD: ReadonlyMap<unknown, TurnFailureCode> = new Map([
  ['context_length_exceeded', 'context_length'],
  ['string_above_max_length', 'context_length'],
  ['content_filter', 'content_filtered'],
  ['content_policy_violation', 'content_filtered'],
  ['insufficient_quota', 'model_rejected'],
  ['billing_hard_limit_reached', 'model_rejected'],
  ['billing_not_active', 'model_rejected'],
]);

/** A status from 400 to 499 that is not listed is a rejection. All others mean that the provider is not available. */
const BY_STATUS: ReadonlyMap<number, TurnFailureCode> = new Map([
  [408, 'model_unavailable'],
  [409, 'model_unavailable'],
  [413, 'context_length'],
  [429, 'model_rate_limited'],
]);

/** An error in mid-stream has a type in place of a status. */
const BY_TYPE: ReadonlyMap<unknown, TurnFailureCode> = new Map([
  ['invalid_request_error', 'model_rejected'],
  ['authentication_error', 'model_rejected'],
  ['permission_error', 'model_rejected'],
  ['not_found_error', 'model_rejected'],
  ['rate_limit_exceeded', 'model_rate_limited'],
  ['rate_limit_error', 'model_rate_limited'],
  ['timeout', 'model_timeout'],
]);

/**
 * What a provider's failure means for the turn (docs/architecture/turn.md, Retries). Pure. The provider's messages are
 * neither read nor passed on, because they may quote the prompt.
 */
export function classifyModelError(error: unknown, now: number = Date.now()): ModelErrorClass {
  const code = codeOf(error);
  return {
    code,
    retryable: TURN_FAILURES[code],
    retryAfterMs: error instanceof APIError ? retryAfterOf(error.headers, now) : null,
  };
}

/** @returns null when no provider answered. */
export function providerErrorOf(error: unknown): ProviderError | null {
  if (!(error instanceof APIError) || error instanceof APIConnectionError) return null;
  return {
    status: statusIn(error.status) ?? statusIn(error.code),
    code: machineWordOf(error.code) ?? machineWordOf(error.type),
    requestId: machineWordOf(error.requestID),
  };
}

function codeOf(error: unknown): TurnFailureCode {
  if (error instanceof APIConnectionTimeoutError) return 'model_timeout';
  // A refused or lost connection also reaches us as the client's other errors (`terminated`, a broken event).
  if (!(error instanceof APIError) || error instanceof APIConnectionError) return 'model_unavailable';
  const word = BY_WORD.get(error.code) ?? BY_WORD.get(error.type);
  if (word !== undefined) return word;
  // An error in mid-stream has no status of its own. Some providers send it as the error's code.
  const status = statusIn(error.status) ?? statusIn(error.code);
  if (status === null) return BY_TYPE.get(error.code) ?? BY_TYPE.get(error.type) ?? 'model_unavailable';
  return BY_STATUS.get(status) ?? (status >= 400 && status < 500 ? 'model_rejected' : 'model_unavailable');
}

function statusIn(value: unknown): number | null {
  const status = Number(value ?? undefined);
  return Number.isInteger(status) && status >= 400 && status <= 599 ? status : null;
}

/** From `retry-after-ms`, or from `retry-after` as seconds or as a date. */
function retryAfterOf(headers: Headers | undefined, now: number): number | null {
  const seconds = positive(headers?.get('retry-after'));
  const wanted =
    positive(headers?.get('retry-after-ms')) ??
    (seconds !== null ? seconds * 1_000 : Date.parse(headers?.get('retry-after') ?? '') - now);
  return wanted > 0 ? Math.min(Math.ceil(wanted), LONGEST_RETRY_AFTER_MS) : null;
}

function positive(text: string | null | undefined): number | null {
  return text !== null && text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}
