import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sendBytes } from '../support/socket.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

/** What people report of other doors that speak OpenAI's protocol. */
const MODEL = 'gpt-4.1-mini';
const SLASHED = 'meta-llama/Llama-3.3';
const CHAT = '/v1/chat/completions';
const ASK = { model: MODEL, messages: [{ role: 'user', content: 'x' }] };
let stack: TestStack;
let person: Person;

beforeAll(async () => {
  const models = [MODEL, SLASHED].map((name) => ({ name, contextWindow: 100_000, maxOutputTokens: 1_000 }));
  stack = await startTestStack({ MODELS: JSON.stringify(models) });
  person = await stack.person();
});
afterAll(() => stack.close());

function lastAsked(): any {
  return stack.model.requests.at(-1)?.body;
}

describe('a page of another origin', () => {
  /** What openai-node sends in a browser, beside what every page may send. */
  const HEADERS = 'authorization,content-type,x-stainless-lang,x-stainless-retry-count,x-stainless-timeout';
  const preflight = (path: string, headers = HEADERS) =>
    fetch(stack.url + path, {
      method: 'OPTIONS',
      headers: {
        origin: 'app://of.a.note-book',
        'access-control-request-method': 'POST',
        'access-control-request-headers': headers,
      },
    });

  test('may ask the door with the headers of an unmodified client, and is asked for no key before', async () => {
    for (const path of [CHAT, '/v1/responses', '/v1/models', `/v1/models/${MODEL}`, '/v1/embeddings']) {
      const { status, headers } = await preflight(path);
      expect([path, status, headers.get('access-control-allow-origin')]).toEqual([path, 204, '*']);
      expect(headers.get('access-control-allow-headers')).toBe(HEADERS);
      expect(headers.get('access-control-allow-methods')).toContain('POST');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
    // What is no list of names is not repeated.
    expect((await preflight(CHAT, 'a: b')).headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type',
    );
  });

  test('reads answers, refusals and their headers, and nothing of the rest of the API', async () => {
    const read = async (path: string, token: string) => {
      const { status, headers } = await fetch(stack.url + path, {
        headers: { origin: 'https://a.example', authorization: `Bearer ${token}` },
      });
      return [path, status, headers.get('access-control-allow-origin'), headers.get('access-control-expose-headers')];
    };
    expect(await read('/v1/models', person.token)).toEqual(['/v1/models', 200, '*', '*']);
    expect(await read('/v1/models', 'tk_none')).toEqual(['/v1/models', 401, '*', '*']);
    expect(await read('/v1/none', person.token)).toEqual(['/v1/none', 404, '*', '*']);
    expect(await read('/api/me', person.token)).toEqual(['/api/me', 200, null, null]);
    expect((await preflight('/api/me')).status).toBe(401);
  });
});

describe('an address', () => {
  test('with a slash too many, or a model whose name has one, is found', async () => {
    for (const path of ['/v1//chat/completions', '//v1/chat/completions', '/v1/chat/completions/'])
      expect([path, (await person.call('POST', path, ASK)).status]).toEqual([path, 200]);
    for (const path of [SLASHED, encodeURIComponent(SLASHED), `${SLASHED}/`, `/${SLASHED}?x=1`])
      expect([path, (await person.call('GET', `/v1/models/${path}`)).body.id]).toEqual([path, SLASHED]);
    expect((await person.call('GET', '/v1/models/meta-llama')).body.error.code).toBe('model_not_found');
    expect((await person.call('POST', CHAT, { ...ASK, model: SLASHED })).body.model).toBe(SLASHED);
  });

  test.each<[string, string, RegExp]>([
    ['POST', '/chat/completions', /POST \/chat\/completions: the base URL must end in \/v1/],
    ['POST', '/responses', /must end in \/v1/],
    ['GET', '/models', /must end in \/v1/],
    ['POST', '/v1/v1/chat/completions', /both add \/v1/],
    ['POST', '/v1/completions', /ask POST \/v1\/chat\/completions/],
    ['POST', '/v1/messages', /there are POST \/v1\/chat\/completions, POST \/v1\/responses and GET \/v1\/models/],
  ])('%s %s is a 404 in the shape that clients read, which says what is wrong with it', async (method, path, says) => {
    const { status, body } = await person.call(method, path, method === 'GET' ? undefined : ASK);
    expect([status, body.error]).toEqual([
      404,
      expect.objectContaining({ type: 'invalid_request_error', message: expect.stringMatching(says) }),
    ]);
  });
});

describe('a body', () => {
  test.each<[string, object, string, unknown]>([
    ['no stop words', { stop: [] }, 'stop', undefined],
    ['no logprobs, of which 0', { logprobs: false, top_logprobs: 0 }, 'top_logprobs', undefined],
    ['the greatest effort', { reasoning_effort: 'max' }, 'reasoning_effort', 'max'],
    ['where to cache', { prompt_cache_options: { mode: 'explicit' } }, 'prompt_cache_options', undefined],
    [
      'a Korean name',
      { messages: [{ role: 'user', name: '홍길동', content: 'x' }] },
      'messages',
      [{ role: 'user', name: '홍길동', content: 'x' }],
    ],
  ])('with %s is answered', async (_label, change, name, asked) => {
    const { status, body } = await person.call('POST', CHAT, { ...ASK, ...change });
    expect([status, body.error]).toEqual([200, undefined]);
    expect(lastAsked()[name]).toEqual(asked);
  });

  test.each(['a b', 'a|b', '가'.repeat(65), ''])('whose speaker is called %j is refused by name', async (name) => {
    const messages = [{ role: 'user', name, content: 'x' }];
    expect((await person.call('POST', CHAT, { ...ASK, messages })).body.error.param).toBe('messages.0.name');
  });

  test.each<[string, string]>([
    ['application/json; charset=utf8', ''],
    ['application/json;charset="UTF8"', ''],
    ['application/json; charset=UTF-8', ''],
    ['application/json; utf-8', ''],
    ['application/json', '\u{feff}'],
  ])('that comes as %s, with %j before it, is read', async (type, before) => {
    const answer = await fetch(stack.url + CHAT, {
      method: 'POST',
      headers: { authorization: `Bearer ${person.token}`, 'content-type': type },
      body: Buffer.from(before + JSON.stringify(ASK)),
    });
    expect([type, answer.status]).toEqual([type, 200]);
  });
});

test('older ways of HTTP: a client that waits for leave to send, HTTP/1.0, and a connection after a refusal', async () => {
  const body = JSON.stringify(ASK);
  const head = (version: string, token: string, ...more: string[]) =>
    [
      `POST ${CHAT} HTTP/${version}`,
      'Host: x',
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...more,
      '',
      '',
    ].join('\r\n');
  const waited = await sendBytes(
    stack.url,
    head('1.1', person.token, 'Expect: 100-continue', 'Connection: close') + body,
  );
  expect(waited.text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
  const older = await sendBytes(stack.url, head('1.0', person.token) + body);
  expect(older.text).toMatch(/^HTTP\/1\.1 200/);
  expect(older.text).not.toMatch(/transfer-encoding/i);
  const twice = await sendBytes(
    stack.url,
    head('1.1', 'tk_none') + body + head('1.1', person.token, 'Connection: close') + body,
  );
  expect(twice.text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200']);
});
