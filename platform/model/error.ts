import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { TURN_FAILURES, type TurnFailureCode } from '../../domain/errors.ts';
import { machineWordOf, type ProviderError } from '../../domain/provider-error.ts';
import type { Fault } from './fault.ts';
import { isRecord } from './json.ts';

export interface ModelErrorClass {
  readonly code: TurnFailureCode;
  readonly retryable: boolean;
  /** The wait that the provider asked for, at most a minute. */
  readonly retryAfterMs: number | null;
}

const LONGEST_RETRY_AFTER_MS = 60_000;

/**
 * A provider's own words (`code`, `type` or `innererror.code`, in lower case), where they say more than the status:
 * several of these errors arrive as 400 or 429, or within a 200.
 */
const WORDS = {
  context_length: [
    'context_length_exceeded',
    'string_above_max_length',
    'exceed_context_size_error',
    'prompt_too_long',
    'request_too_large',
  ],
  content_filtered: [
    'content_filter',
    'content_filtered',
    'content_policy_violation',
    'responsibleaipolicyviolation',
    'cyber_policy_violation',
    'invalid_prompt',
    'moderation_blocked',
    'data_inspection_failed',
    'datainspectionfailed',
    'sensitive_words_detected',
    // Zhipu's number for the same.
    '1301',
  ],
  model_rejected: [
    'insufficient_quota',
    'insufficient_balance',
    'insufficient_credits',
    'exceeded_current_quota_error',
    'billing_hard_limit_reached',
    'billing_not_active',
    'account_deactivated',
    'invalid_api_key',
    'model_not_found',
  ],
} as const satisfies Partial<Record<TurnFailureCode, readonly string[]>>;
const BY_WORD = byWord(WORDS);

/**
 * A status from 400 to 499 that is not listed is a rejection, and so is a redirect, which is not followed. All others
 * mean that the provider is not available: 424 of Hugging Face (the engine failed), 425 (too early), 498 of Groq (no
 * capacity), 499 (it gave up waiting), 529 of Anthropic (overloaded).
 */
const BY_STATUS: ReadonlyMap<number, TurnFailureCode> = new Map([
  [408, 'model_unavailable'],
  [409, 'model_unavailable'],
  [413, 'context_length'],
  [424, 'model_unavailable'],
  [425, 'model_unavailable'],
  [429, 'model_rate_limited'],
  [498, 'model_unavailable'],
  [499, 'model_unavailable'],
]);

/** An error in mid-stream has a type in place of a status. */
const TYPES = {
  model_rejected: [
    'invalid_request_error',
    'badrequesterror',
    'invalid_argument',
    'authentication_error',
    'unauthenticated',
    'permission_error',
    'permission_denied',
    'not_found_error',
    'notfounderror',
    'not_found',
  ],
  model_rate_limited: [
    'rate_limit_exceeded',
    'rate_limit_error',
    'rate_limit_reached_error',
    'too_many_requests',
    'resource_exhausted',
  ],
  model_timeout: ['timeout', 'timeout_error', 'deadline_exceeded'],
} as const satisfies Partial<Record<TurnFailureCode, readonly string[]>>;
const BY_TYPE = byWord(TYPES);

function byWord(table: Partial<Record<TurnFailureCode, readonly string[]>>): ReadonlyMap<string, TurnFailureCode> {
  return new Map(
    (Object.keys(table) as TurnFailureCode[]).flatMap((code) =>
      (table[code] ?? []).map((word) => [word, code] as const),
    ),
  );
}

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
  // A refused or lost connection also reaches us as the client's other errors, a broken event as a SyntaxError.
  if (!(error instanceof APIError) || error instanceof APIConnectionError) return 'model_unavailable';
  const words = wordsOf(error);
  const known = firstOf(words, BY_WORD);
  if (known !== undefined) return known;
  // An error in mid-stream has no status of its own. Some providers send it as the error's code.
  const status = statusIn(error.status) ?? statusIn(error.code);
  if (status === null) return firstOf(words, BY_TYPE) ?? 'model_unavailable';
  return BY_STATUS.get(status) ?? (status < 500 ? 'model_rejected' : 'model_unavailable');
}

function wordsOf(error: APIError): string[] {
  const inner = isRecord(error.error) ? error.error['inner'] : null;
  return [error.code, error.type, inner]
    .filter((word) => typeof word === 'string' || typeof word === 'number')
    .map((word) => String(word).toLowerCase());
}

function firstOf(words: readonly string[], table: ReadonlyMap<string, TurnFailureCode>): TurnFailureCode | undefined {
  return words.map((word) => table.get(word)).find((code) => code !== undefined);
}

/** What a provider said in place of an answer, or within one, as the client says what comes with a status. */
export function faultError(fault: Fault): APIError {
  return new APIError(undefined, fault, undefined, new Headers());
}

/** Whether a provider refused the call because it was asked for usage. */
export function refusesStreamOptions(error: unknown): boolean {
  const isRefusal = error instanceof APIError && (error.status === 400 || error.status === 422);
  return isRefusal && error.param === 'stream_options';
}

function statusIn(value: unknown): number | null {
  const status = Number(value ?? undefined);
  return Number.isInteger(status) && status >= 300 && status <= 599 ? status : null;
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
