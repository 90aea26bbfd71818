import type { ServerResponse } from 'node:http';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import { AppError, isTurnFailure, type ErrorCode, type TurnRefusalCode } from '../../domain/errors.ts';
import { errorSentence, LOCALES, type Locale } from '../../domain/messages.ts';
import { isUnavailable } from '../../db/driver/availability.ts';
import { OutcomeUnknown } from '../../db/driver/outcome.ts';
import { ObjectStoreAway } from '../../platform/objects/object-store.ts';
import { describeError } from '../../platform/telemetry/describe-error.ts';
import type { Logger } from '../../platform/telemetry/log.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import { errorBody, failedTurnBody, spentBody } from '../wire/error.ts';

/** The one table from code to status. */
export const STATUS_OF = {
  invalid_json: 400,
  invalid_request: 400,
  invalid_event_id: 400,
  unknown_model: 400,
  unsupported_parameter: 400,
  model_sees_no_images: 400,
  unauthorized: 401,
  TOKEN_EXHAUSTED: 402,
  KEY_CAP_REACHED: 402,
  payment_declined: 402,
  forbidden: 403,
  insufficient_scope: 403,
  sign_in_required: 403,
  account_suspended: 403,
  not_found: 404,
  code_invalid: 404,
  file_not_found: 404,
  method_not_allowed: 405,
  tokens_held: 409,
  conversation_busy: 409,
  idempotency_conflict: 409,
  turn_not_failed: 409,
  nobody_waits: 409,
  answer_erased: 409,
  turn_erased: 409,
  confirm_required: 409,
  version_conflict: 409,
  too_many_open_purchases: 409,
  too_many_share_links: 409,
  amount_mismatch: 409,
  payment_pending: 409,
  card_declined: 409,
  not_refundable: 409,
  too_many_keys: 409,
  key_rotating: 409,
  not_acceptable: 409,
  channel_off: 409,
  file_quota_reached: 409,
  file_attached: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  file_refused: 422,
  content_filtered: 422,
  context_length: 422,
  rate_limited: 429,
  internal: 500,
  model_unavailable: 502,
  model_rate_limited: 502,
  model_rejected: 502,
  interrupted: 502,
  provider_unavailable: 503,
  overloaded: 503,
  unavailable: 503,
  model_timeout: 504,
} as const satisfies Record<ErrorCode, number>;

/**
 * Codes for the statuses that express, `send` and body-parser choose themselves. Any other of theirs is
 * `invalid_request`.
 */
const CODE_OF: Readonly<Record<number, ErrorCode>> = {
  404: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
};

/** After how many seconds a refused send may succeed by waiting alone; null: it will not. */
export const RETRY_AFTER_OF = {
  tokens_held: 5,
  unavailable: 5,
  TOKEN_EXHAUSTED: null,
  KEY_CAP_REACHED: null,
  account_suspended: null,
} as const satisfies Record<TurnRefusalCode, number | null>;

/** How a route's callers receive errors. A protocol that is not ours has an envelope of its own. */
export interface ErrorEnvelope {
  readonly statusOf: Readonly<Record<ErrorCode, number>>;
  /** The schema of an error's body in the OpenAPI document. @param codes those of one status of a route. */
  schemaOf(codes: readonly ErrorCode[]): z.ZodType;
  wrap(error: {
    readonly code: ErrorCode;
    /** A sentence in the reader's language. */
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
    readonly requestId: string;
  }): object;
  /** What the protocol's clients look at beside `Retry-After`. */
  headersOf?(error: { readonly status: number; readonly details: AppError['details'] }): Record<string, string>;
}

/** `{code, message, requestId, …}`: the shape of all errors, except on routes with an envelope of their own. */
export const FLAT_ENVELOPE: ErrorEnvelope = {
  statusOf: STATUS_OF,
  schemaOf: (codes) => {
    const [schema = errorBody, ...others] = new Set(codes.map(bodyOf));
    return others.length === 0 ? schema : errorBody;
  },
  wrap: ({ code, message, details, requestId }) => ({ code, message, ...details, requestId }),
};

function bodyOf(code: ErrorCode): z.ZodType {
  if (code === 'TOKEN_EXHAUSTED' || code === 'KEY_CAP_REACHED') return spentBody;
  return isTurnFailure(code) && [422, 502, 504].includes(STATUS_OF[code]) ? failedTurnBody : errorBody;
}

/** The envelope of an answer's errors, as far as is known what was asked. */
export function envelopeOf(response: ServerResponse): ErrorEnvelope {
  return (response as { readonly locals?: { readonly envelope?: ErrorEnvelope } }).locals?.envelope ?? FLAT_ENVELOPE;
}

/** Sends the request's errors in this envelope from here on. */
export function useEnvelope(envelope: ErrorEnvelope): RequestHandler {
  return (_request, response, next) => {
    (response.locals as { envelope?: ErrorEnvelope }).envelope = envelope;
    next();
  };
}

/**
 * `retryAfter` (seconds) goes into the header.
 * @param status replaces the code's own.
 */
function sendError(response: Response, error: AppError, status: number | null = null): void {
  const { retryAfter, ...details } = error.details;
  const { code } = error;
  const locale = localeOf(response);
  const envelope = envelopeOf(response);
  if (typeof retryAfter === 'number') response.set('Retry-After', String(Math.max(1, Math.ceil(retryAfter))));
  if (code === 'unauthorized') response.set('WWW-Authenticate', 'Bearer');
  const sent = status ?? envelope.statusOf[code];
  response
    .status(sent)
    .set('Content-Language', locale)
    .set(envelope.headersOf?.({ status: sent, details: error.details }) ?? {})
    .json(
      envelope.wrap({ code, message: errorSentence(code, locale, details), details, requestId: requestIdOf(response) }),
    );
}

/** Answers every error of a route. An unexpected one becomes a 500 that tells nothing but its request id. */
export function errorMiddleware({
  log,
  metrics,
}: {
  log: Logger;
  metrics: Pick<Metrics, 'errorSent'>;
}): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const status = statusOf(error);
    const known =
      status === null ? recognise(error) : new AppError(CODE_OF[status] ?? 'invalid_request', {}, { cause: error });
    if (known === null) log.error({ requestId: requestIdOf(response), err: describeError(error) }, 'a request failed');
    // The headers of a stream have left already, so the stream is cut, and its reader resumes.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const sent = known ?? new AppError('internal');
    metrics.errorSent(sent.code);
    if (status !== null) forgetFile(response);
    sendError(response, sent, status);
  };
}

/**
 * The status that a library gives a bad request: a path that cannot be decoded (400), a range beyond the end of a file
 * (416).
 */
function statusOf(error: unknown): number | null {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : null;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}

/**
 * Removes the headers of the file that was not sent: with them, the error would be a compressed script that is kept for
 * a year. `Content-Range` stays, because it says how long the file is.
 */
function forgetFile(response: Response): void {
  for (const name of ['Content-Type', 'Content-Encoding', 'ETag', 'Last-Modified', 'Accept-Ranges'])
    response.removeHeader(name);
  response.set('Cache-Control', 'no-store');
}

function recognise(error: unknown): AppError | null {
  if (error instanceof AppError) return error;
  // It may stand: sending the same again finds it, by its ids or by its key.
  if (error instanceof OutcomeUnknown)
    return new AppError('unavailable', { retryAfter: 5, ...error.ids, bound: true }, { cause: error });
  if (isUnavailable(error)) return new AppError('unavailable', { retryAfter: 2 }, { cause: error });
  if (error instanceof ObjectStoreAway) return new AppError('unavailable', { retryAfter: 5 }, { cause: error });
  return null;
}

export function requestIdOf(response: Response): string {
  const { requestId } = response.locals as { requestId?: string };
  return requestId ?? '';
}

export function localeOf(response: Response): Locale {
  return response.req.acceptsLanguages([...LOCALES]) === 'en' ? 'en' : 'ko';
}
