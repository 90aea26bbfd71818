import { describe, expect, test } from '@jest/globals';
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import { TURN_FAILURES, type TurnFailureCode } from '../../domain/errors.ts';
import { classifyModelError, providerErrorOf } from '../../platform/model/error.ts';

const NOW = Date.parse('2026-03-01T00:00:00Z');
const failed = (status: number, error: object = {}, headers: Record<string, string> = {}) =>
  APIError.generate(
    status,
    { error: { message: 'SECRET prompt', type: null, code: null, ...error } },
    undefined,
    new Headers(headers),
  );
/** What the client throws for an error object inside a stream: no status, the headers of the 200. */
const inStream = (error: object) =>
  new APIError(undefined, { message: 'SECRET prompt', ...error }, undefined, new Headers());

describe('a status', () => {
  test.each<[number, TurnFailureCode]>([
    [400, 'model_rejected'],
    [401, 'model_rejected'],
    [402, 'model_rejected'],
    [403, 'model_rejected'],
    [404, 'model_rejected'],
    [422, 'model_rejected'],
    [413, 'context_length'],
    [429, 'model_rate_limited'],
    [408, 'model_unavailable'],
    [409, 'model_unavailable'],
    [500, 'model_unavailable'],
    [502, 'model_unavailable'],
    [503, 'model_unavailable'],
    [504, 'model_unavailable'],
    [529, 'model_unavailable'],
  ])('%i is %s', (status, code) => {
    expect(classifyModelError(failed(status), NOW)).toEqual({
      code,
      retryable: TURN_FAILURES[code],
      retryAfterMs: null,
    });
  });
});

describe("a provider's own word counts before its status", () => {
  test.each<[number, object, TurnFailureCode]>([
    [400, { code: 'context_length_exceeded' }, 'context_length'],
    [400, { code: 'string_above_max_length' }, 'context_length'],
    [400, { code: 'content_filter' }, 'content_filtered'],
    [400, { code: 'content_policy_violation' }, 'content_filtered'],
    [403, { type: 'content_filter' }, 'content_filtered'],
    [429, { code: 'insufficient_quota', type: 'insufficient_quota' }, 'model_rejected'],
    [429, { type: 'insufficient_quota' }, 'model_rejected'],
    [429, { code: 'rate_limit_exceeded', type: 'tokens' }, 'model_rate_limited'],
    [500, { type: 'invalid_request_error' }, 'model_unavailable'],
    [401, { code: 'invalid_api_key', type: 'invalid_request_error' }, 'model_rejected'],
    [400, { code: 'constructor' }, 'model_rejected'],
  ])('%i with %j is %s', (status, error, code) => {
    expect(classifyModelError(failed(status, error), NOW)).toMatchObject({ code, retryable: TURN_FAILURES[code] });
  });
});

describe('an error in mid-stream is classed like a status', () => {
  test.each<[object, TurnFailureCode]>([
    [{ type: 'server_error' }, 'model_unavailable'],
    [{}, 'model_unavailable'],
    [{ code: 'rate_limit_exceeded' }, 'model_rate_limited'],
    [{ type: 'rate_limit_error' }, 'model_rate_limited'],
    [{ code: 'context_length_exceeded' }, 'context_length'],
    [{ code: 'content_filter' }, 'content_filtered'],
    [{ code: 'insufficient_quota' }, 'model_rejected'],
    [{ type: 'invalid_request_error' }, 'model_rejected'],
    [{ code: 429 }, 'model_rate_limited'],
    [{ code: '503' }, 'model_unavailable'],
    [{ code: 401 }, 'model_rejected'],
    [{ code: 17 }, 'model_unavailable'],
    [{ type: 'timeout' }, 'model_timeout'],
  ])('%j is %s', (error, code) => {
    expect(classifyModelError(inStream(error), NOW)).toMatchObject({ code, retryable: TURN_FAILURES[code] });
  });
});

describe('no answer at all', () => {
  test.each<[string, unknown, TurnFailureCode]>([
    ['a refused connection', new APIConnectionError({ cause: new Error('ECONNREFUSED') }), 'model_unavailable'],
    ['a timed out connection', new APIConnectionTimeoutError(), 'model_timeout'],
    ['a lost connection', new TypeError('terminated'), 'model_unavailable'],
    ['a broken event', new SyntaxError('malformed'), 'model_unavailable'],
    ['an abort that nobody here asked for', new APIUserAbortError(), 'model_unavailable'],
    ['what is no error', 'gone', 'model_unavailable'],
    ['nothing', undefined, 'model_unavailable'],
  ])('%s', (_, error, code) => {
    expect(classifyModelError(error, NOW)).toEqual({ code, retryable: true, retryAfterMs: null });
  });
});

describe('how long to wait', () => {
  test.each<[Record<string, string>, number | null]>([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': '0' }, null],
    [{ 'retry-after': '-3' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '60' }, 60_000],
    [{ 'retry-after': '61' }, 60_000],
    [{ 'retry-after': '99999999999999999999' }, 60_000],
    [{ 'retry-after': 'Sun, 01 Mar 2026 00:00:05 GMT' }, 5_000],
    [{ 'retry-after': 'Sun, 01 Mar 2026 01:00:00 GMT' }, 60_000],
    [{ 'retry-after': 'Sat, 28 Feb 2026 23:59:00 GMT' }, null],
    [{ 'retry-after-ms': '250' }, 250],
    [{ 'retry-after-ms': '250.2' }, 251],
    [{ 'retry-after-ms': '0' }, null],
    [{ 'retry-after-ms': '120000' }, 60_000],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after-ms': 'x', 'retry-after': '9' }, 9_000],
    [{}, null],
  ])('%j is %s ms', (headers, retryAfterMs) => {
    expect(classifyModelError(failed(429, {}, headers), NOW).retryAfterMs).toBe(retryAfterMs);
    expect(classifyModelError(failed(503, {}, headers), NOW).retryAfterMs).toBe(retryAfterMs);
  });
});

test("nothing of the provider's message is passed on", () => {
  expect(JSON.stringify(classifyModelError(failed(400), NOW))).not.toContain('SECRET');
});

describe('what is kept of what the provider said', () => {
  test.each<[string, unknown, object | null]>([
    [
      'status, word and request id',
      failed(401, { code: 'invalid_api_key' }, { 'x-request-id': 'req_1' }),
      { status: 401, code: 'invalid_api_key', requestId: 'req_1' },
    ],
    [
      'the type where there is no code',
      failed(429, { type: 'insufficient_quota' }),
      { status: 429, code: 'insufficient_quota', requestId: null },
    ],
    [
      'a status sent as the code of an error in mid-stream',
      inStream({ code: '503' }),
      { status: 503, code: '503', requestId: null },
    ],
    [
      'no sentence in the place of a word',
      failed(400, { code: 'You asked: SECRET prompt', type: 'SECRET prompt' }),
      { status: 400, code: null, requestId: null },
    ],
    ['no word of 65 characters', failed(400, { code: 'x'.repeat(65) }), { status: 400, code: null, requestId: null }],
    ['nothing when nobody answered', new APIConnectionError({ message: 'refused' }), null],
    ['nothing of an error of our own', new Error('SECRET prompt'), null],
  ])('%s', (_, error, kept) => {
    expect(providerErrorOf(error)).toEqual(kept);
    expect(JSON.stringify(kept)).not.toContain('SECRET');
  });
});
