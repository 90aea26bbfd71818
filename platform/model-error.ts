import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { TURN_FAILURES, type TurnFailureCode } from '../domain/errors.ts';

export interface ModelErrorClass {
  readonly code: TurnFailureCode;
  readonly retryable: boolean;
  /** What the provider asked for, at most a minute. */
  readonly retryAfterMs: number | null;
}

const LONGEST_RETRY_AFTER_MS = 60_000;

/** The provider's own words come before its status: several of them arrive as 400 or 429. */
const BY_WORD: Readonly<Record<string, TurnFailureCode>> = {
  context_length_exceeded: 'context_length',
  string_above_max_length: 'context_length',
  content_filter: 'content_filtered',
  content_policy_violation: 'content_filtered',
  insufficient_quota: 'model_rejected',
  billing_hard_limit_reached: 'model_rejected',
  rate_limit_exceeded: 'model_rate_limited',
  server_error: 'model_unavailable',
  timeout: 'model_timeout',
};

const BY_STATUS: Readonly<Record<number, TurnFailureCode>> = {
  400: 'model_rejected', 401: 'model_rejected', 403: 'model_rejected', 404: 'model_rejected', 422: 'model_rejected',
  408: 'model_timeout', 409: 'model_unavailable', 413: 'context_length', 429: 'model_rate_limited', 504: 'model_timeout',
};

/** What a provider's failure means for the turn. Pure; its messages are left out, since they may quote the prompt. */
export function classifyModelError(error: unknown, now: number = Date.now()): ModelErrorClass {
  const code = codeOf(error);
  return { code, retryable: TURN_FAILURES[code], retryAfterMs: error instanceof APIError ? retryAfterOf(error.headers, now) : null };
}

function codeOf(error: unknown): TurnFailureCode {
  if (error instanceof APIConnectionTimeoutError) return 'model_timeout';
  // A connection that was refused or lost also is what the client throws as anything else (`terminated`, a broken event).
  if (!(error instanceof APIError) || error instanceof APIConnectionError) return 'model_unavailable';
  const byWord = BY_WORD[error.code ?? ''] ?? BY_WORD[error.type ?? ''];
  if (byWord !== undefined) return byWord;
  const status = typeof error.status === 'number' ? error.status : 500;
  return BY_STATUS[status] ?? (status >= 400 && status < 500 ? 'model_rejected' : 'model_unavailable');
}

/** `retry-after-ms`, or `retry-after` as seconds or as a date. */
function retryAfterOf(headers: Headers | undefined, now: number): number | null {
  const milliseconds = positive(headers?.get('retry-after-ms'));
  if (milliseconds !== null) return Math.min(milliseconds, LONGEST_RETRY_AFTER_MS);
  const header = headers?.get('retry-after');
  const seconds = positive(header);
  const wanted = seconds !== null ? seconds * 1_000 : Date.parse(header ?? '') - now;
  return wanted > 0 ? Math.min(wanted, LONGEST_RETRY_AFTER_MS) : null;
}

function positive(text: string | null | undefined): number | null {
  return text !== null && text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}
