import type { ErrorCode } from '../../domain/errors.ts';
import { STATUS_OF, type ErrorEnvelope } from '../http/errors.ts';
import { openaiError } from '../wire/completion.ts';

const RETRIED = new Set([409, 429, 500, 502, 503, 504]);

/** Where OpenAI has a word of its own for one of our codes. */
const WORDS: Partial<Record<ErrorCode, string>> = {
  unauthorized: 'invalid_api_key',
  TOKEN_EXHAUSTED: 'insufficient_quota',
  KEY_CAP_REACHED: 'insufficient_quota',
  unknown_model: 'model_not_found',
  rate_limited: 'rate_limit_exceeded',
  tokens_held: 'rate_limit_exceeded',
  context_length: 'context_length_exceeded',
  content_filtered: 'content_filter',
  file_refused: 'invalid_image_format',
};

/**
 * Errors as OpenAI's clients read them. Exhausted tokens are 402, the one status that no client tries again; what helps
 * by waiting alone is 429 or 503. Our own code and its figures stand in `turnkeeper`.
 */
export const OPENAI_ENVELOPE: ErrorEnvelope = {
  statusOf: {
    ...STATUS_OF,
    tokens_held: 429,
    unknown_model: 404,
    context_length: 400,
    content_filtered: 400,
    file_refused: 400,
  },
  schemaOf: () => openaiError,
  wrap: ({ code, message, details, requestId }) => {
    const { field, reason, ...rest } = details;
    const param = typeof field === 'string' ? field : null;
    const why = [param, typeof reason === 'string' ? reason : null].filter((part) => part !== null).join(' ');
    return {
      error: {
        message: why === '' ? message : `${message} (${why})`,
        type: typeOf(code),
        param,
        code: WORDS[code] ?? code,
        turnkeeper: { code, requestId, ...rest },
      },
    };
  },
  headersOf: ({ status, details }) => ({
    ...(typeof details['retryAfter'] === 'number'
      ? { 'retry-after-ms': String(Math.max(1, Math.ceil(details['retryAfter'] * 1_000))) }
      : {}),
    // Their clients try every 409 and 5xx again, also where it cannot help.
    ...(RETRIED.has(status) && (status === 409 || details['retryable'] === false) ? { 'x-should-retry': 'false' } : {}),
  }),
};

function typeOf(code: ErrorCode): string {
  if (code === 'TOKEN_EXHAUSTED' || code === 'KEY_CAP_REACHED') return 'insufficient_quota';
  const status = OPENAI_ENVELOPE.statusOf[code];
  if (status === 429) return 'rate_limit_exceeded';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
