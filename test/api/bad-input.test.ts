import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createToken, revokeToken } from '../../db/people/key-holders.ts';
import { ERROR_CODES } from '../../domain/errors.ts';
import { Gate } from '../fake-model/scenario.ts';
import { personAtUrl, startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const UNKNOWN = '0198c0de-0000-7000-8000-000000000000';
const IN_UTF8 = Buffer.from('{"message": "안녕"}');
/** As Windows in Korean writes it: 안녕 is BE C8 B3 E7. */
const IN_CP949 = Buffer.from('{"message": "\xbe\xc8\xb3\xe7"}', 'latin1');
type Document = Record<string, Record<string, { requestBody?: unknown }>>;
let stack: TestStack;
let person: Person;

beforeAll(async () => {
  stack = await startTestStack();
  person = await stack.person();
});
afterAll(() => stack.close());

describe('a body', () => {
  /**
   * The last value is the same request without its fault. It is accepted, so the other is refused only for what its
   * title says.
   */
  test.each<[string, string | object, number, string, string | object]>([
    ['malformed JSON', '{"message": "', 400, 'invalid_json', '{"message": "a"}'],
    ['an array', '[]', 400, 'invalid_json', '{"message": "[]"}'],
    ['a string', '"hello"', 400, 'invalid_json', '{"message": "hello"}'],
    ['nothing', '', 400, 'invalid_request', { message: 'a' }],
    [
      'over 256 KiB',
      `{"message": "a"${' '.repeat(256 * 1024)}}`,
      413,
      'payload_too_large',
      `{"message": "a"${' '.repeat(256 * 1024 - 16)}}`,
    ],
    [
      'more than 1,000 values',
      `{"message": [${Array(1_001).fill('0').join()}]}`,
      400,
      'invalid_json',
      { message: Array(1_001).fill('0').join() },
    ],
    [
      'more than 32 levels',
      `{"message": ${'['.repeat(32)}${']'.repeat(32)}}`,
      400,
      'invalid_json',
      { message: `${'['.repeat(100)}\\"${']'.repeat(100)}` },
    ],
    ['blank message', { message: ' \n ' }, 400, 'invalid_request', { message: ' \n a' }],
    ['32,001 code points', { message: '가'.repeat(32_001) }, 400, 'invalid_request', { message: '가'.repeat(32_000) }],
    ['NUL', { message: 'a\0b' }, 400, 'invalid_request', { message: 'a\u0001b' }],
    ['a lone surrogate', '{"message": "a\\ud83d"}', 400, 'invalid_request', '{"message": "a\\ud83d\\ude00"}'],
    [
      'an unknown field',
      { message: 'a', stream: true },
      400,
      'invalid_request',
      { message: 'a', model: 'gpt-4.1-mini' },
    ],
    ['a wrong type', { message: 5 }, 400, 'invalid_request', { message: '5' }],
    [
      'a turnId that is no UUID',
      { message: 'a', turnId: 'x' },
      400,
      'invalid_request',
      { message: 'a', turnId: randomUUID() },
    ],
    [
      'zero maxOutputTokens',
      { message: 'a', maxOutputTokens: 0 },
      400,
      'invalid_request',
      { message: 'a', maxOutputTokens: 1 },
    ],
    [
      'negative maxOutputTokens',
      { message: 'a', maxOutputTokens: -1 },
      400,
      'invalid_request',
      { message: 'a', maxOutputTokens: 300 },
    ],
    [
      'maxOutputTokens beyond what is stored',
      { message: 'a', maxOutputTokens: 2_147_483_648 },
      400,
      'invalid_request',
      { message: 'a', maxOutputTokens: 2_147_483_647 },
    ],
    ['an unknown model', { message: 'a', model: 'none' }, 400, 'unknown_model', { message: 'a', model: 'gpt-5-mini' }],
    ['an unknown conversation', { message: 'a', conversationId: UNKNOWN }, 404, 'not_found', { message: 'a' }],
  ])(
    'of %s is refused in the flat shape, and nothing is asked of the model; without its fault it is taken',
    async (_title, body, status, code, mended) => {
      const someone = await stack.person();
      const calls = stack.model.requests.length;
      const answer = await someone.call('POST', '/api/chat/send', body);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(answer.body).toMatchObject({ message: expect.any(String), requestId: answer.headers.get('x-request-id') });
      expect(stack.model.requests).toHaveLength(calls);
      expect((await someone.call('POST', '/api/chat/send', mended)).status).toBe(200);
      expect(stack.model.requests).toHaveLength(calls + 1);
    },
  );

  test('of 32,000 emoji is taken, each being one character', async () => {
    expect(
      (await person.call('POST', '/api/chat/send', { message: '😀'.repeat(32_000) }, { prefer: 'respond-async' }))
        .status,
    ).toBe(202);
  });

  test.each(['', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8'])(
    'with content type "%s" is JSON',
    async (type) => {
      const body = new Blob(['{"message": "안녕"}']);
      const response = await fetch(`${stack.url}/api/chat/send`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${person.token}`, ...(type === '' ? {} : { 'content-type': type }) },
      });
      expect(response.status).toBe(200);
    },
  );

  test('that is not UTF-8 is refused on every route with a body, and says so; the same in UTF-8 is read', async () => {
    const admin = await stack.person('admin');
    const { paths } = (await (await fetch(`${stack.url}/api/openapi.json`)).json()) as { paths: Document };
    const calls = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { requestBody }]) =>
        // A webhook's sender signs its bytes and hears nothing of them; the OpenAI door has errors of its own shape,
        // the links of mails are read by nothing of a body, and a file is bytes.
        requestBody === undefined || /^\/(api\/webhooks\/|api\/files|v1\/|unsubscribe|confirm-address)/.test(path)
          ? []
          : [[method.toUpperCase(), path.replaceAll(/\{\w+\}/g, UNKNOWN)] as const],
      ),
    );
    expect(calls).toEqual(expect.arrayContaining([['POST', '/api/chat/send'] as const]));
    const send = async (method: string, path: string, body: Uint8Array, type = 'application/json') => {
      const headers = { authorization: `Bearer ${admin.token}`, 'content-type': type };
      const answer = await fetch(`${stack.url}${path}`, { method, headers, body: Buffer.from(body) });
      return [path, answer.status, await answer.json()] as const;
    };
    const refused = { code: 'invalid_json', reason: 'the body is not UTF-8' };
    for (const [method, path] of calls) {
      expect(await send(method, path, IN_CP949)).toEqual([path, 400, expect.objectContaining(refused)]);
      expect(await send(method, path, IN_UTF8)).not.toEqual([path, 400, expect.objectContaining(refused)]);
    }
    const utf16 = await send(
      'POST',
      '/api/chat/send',
      Buffer.from(IN_UTF8.toString(), 'utf16le'),
      'application/json; charset=utf-16le',
    );
    expect(utf16).toEqual([expect.anything(), 400, expect.objectContaining(refused)]);
  });

  test.each(['text/plain', 'multipart/form-data; boundary=x', 'application/xml'])(
    'with content type %s is 415',
    async (type) => {
      expect((await person.call('POST', '/api/chat/send', { message: 'a' }, { 'content-type': type })).status).toBe(
        415,
      );
    },
  );

  test.each(['', 'a b', '가', 'x'.repeat(256)])(
    'under the Idempotency-Key "%s" is 400 or not sent at all',
    async (key) => {
      const sent = person.call('POST', '/api/chat/send', { message: 'a' }, { 'idempotency-key': key });
      // The client itself refuses headers beyond Latin-1.
      if (key === '가') await expect(sent).rejects.toThrow();
      else expect((await sent).body).toMatchObject({ code: 'invalid_request', field: 'Idempotency-Key' });
    },
  );

  test.each(['!', '~'.repeat(255), 'key-1'])('under the Idempotency-Key "%s" is taken', async (key) => {
    expect(
      (await (await stack.person()).call('POST', '/api/chat/send', { message: 'a' }, { 'idempotency-key': key }))
        .status,
    ).toBe(200);
  });
});

describe('who may', () => {
  test.each([undefined, 'Bearer', 'Bearer nonsense', 'Basic abc', `Bearer tk_${'a'.repeat(43)}`])(
    'with "%s" nobody is let in, whatever the address',
    async (authorization) => {
      for (const path of ['/api/me', '/api/nope', '/api/admin/x']) {
        const response = await fetch(`${stack.url}${path}`, {
          headers: authorization === undefined ? {} : { authorization },
        });
        expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([401, 'unauthorized']);
      }
    },
  );

  test('a revoked token is let in no more', async () => {
    const { tokenId, token } = await createToken(stack.db.database, { userId: person.userId });
    const again = personAtUrl(stack.url, person.userId, token);
    expect((await again.call('GET', '/api/me')).status).toBe(200);
    await revokeToken(stack.db.database, { tokenId });
    expect((await again.call('GET', '/api/me')).status).toBe(401);
  });

  test('admin addresses are 403 for people before they are 404 for admins', async () => {
    expect((await person.call('GET', '/api/admin/nope')).body.code).toBe('forbidden');
    expect((await (await stack.person('admin')).call('GET', '/api/admin/nope')).body.code).toBe('not_found');
  });

  test("somebody else's turn and conversation are, byte for byte, those that do not exist", async () => {
    const {
      body: { turnId, conversationId },
    } = await person.call('POST', '/api/chat/send', { message: '안녕' });
    const other = await stack.person();
    for (const [method, path] of [
      ['GET', '/api/chat/turns/ID'],
      ['GET', '/api/chat/turns/ID/events'],
      ['POST', '/api/chat/turns/ID/stop'],
      ['POST', '/api/chat/turns/ID/retry'],
      ['GET', '/api/conversations/ID'],
      ['GET', '/api/conversations/ID/messages'],
      ['PATCH', '/api/conversations/ID'],
    ] as const) {
      const own = path.includes('turns') ? turnId : conversationId;
      const texts = await Promise.all(
        [own, UNKNOWN].map(async (id: string) => {
          const response = await other.raw(
            method,
            path.replace('ID', id),
            method === 'PATCH' ? { title: 'x' } : undefined,
          );
          return `${response.status} ${(await response.text()).replace(/"requestId":"[^"]+"/, '')}`;
        }),
      );
      expect(texts[0]).toMatch(/^404 /);
      expect(texts[0]).toBe(texts[1]);
      // The refusal does not tell the owner either.
      expect(
        (await person.raw(method, path.replace('ID', own), method === 'PATCH' ? { title: 'x' } : undefined)).status,
      ).not.toBe(404);
    }
  });

  test('test usage of others is for admins', async () => {
    const other = await stack.person();
    const body = { userId: other.userId, usagePercent: 90 };
    expect((await person.call('POST', '/api/ai-usage/test-usage', body)).status).toBe(403);
    expect((await (await stack.person('admin')).call('POST', '/api/ai-usage/test-usage', body)).body).toMatchObject({
      usedTokens: 90_000,
      level: 'WARNING',
    });
  });
});

test('unknown routes and methods answer in the same shape', async () => {
  expect((await person.call('GET', '/nope')).body.code).toBe('not_found');
  expect((await person.call('GET', '/api/nope')).body.code).toBe('not_found');
  const put = await person.call('PUT', '/api/me', {});
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, PATCH']);
  const health = await fetch(`${stack.url}/health`, { method: 'DELETE' });
  expect([health.status, health.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  const signIn = await fetch(`${stack.url}/api/auth/demo`, { method: 'DELETE' });
  expect([signIn.status, signIn.headers.get('allow')]).toEqual([405, 'POST']);
  // A literal path is not taken for one with a parameter.
  const options = await (await stack.person('admin')).call('OPTIONS', '/api/admin/turns/replay');
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'POST']);
});

test("a path that is no text is the request's own fault", async () => {
  for (const path of ['/api/chat/turns/%ff', '/api/conversations/%ff', '/api/admin/users/%E0%A4%A']) {
    const { status, body } = await (await stack.person('admin')).call('GET', path);
    expect([path, status, body.code]).toEqual([path, 400, 'invalid_request']);
  }
  // %EF%BF%BD is valid text.
  expect((await person.call('GET', '/api/chat/turns/%EF%BF%BD')).status).toBe(404);
});

test('messages are Korean by default and English when asked', async () => {
  expect((await person.call('GET', '/api/nope')).body.message).toBe('찾을 수 없습니다.');
  expect((await person.call('GET', '/api/nope', undefined, { 'accept-language': 'en-US,en;q=0.9' })).body.message).toBe(
    'Not found.',
  );
});

test('the document names every code and every route', async () => {
  const document = (await (await fetch(`${stack.url}/api/openapi.json`)).json()) as {
    openapi: string;
    paths: object;
    components: { schemas: { ErrorCode: { enum: string[] }; Send: { properties: { message: object } } } };
  };
  expect(document.openapi).toBe('3.1.0');
  expect(document.components.schemas.ErrorCode.enum).toEqual([...ERROR_CODES]);
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining(['/api/chat/send', '/api/chat/turns/{turnId}/events', '/api/ai-usage', '/health/ready']),
  );
  expect(document.components.schemas.Send.properties.message).toMatchObject({
    minLength: 1,
    maxLength: 32_000,
    pattern: '\\S',
  });
  // The document has each schema once, because requests and answers share one form.
  expect(Object.keys(document.components.schemas).filter((name) => name.endsWith('Output'))).toEqual([]);
  expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(['Turn', 'CompletedEvent']));
  expect(await (await fetch(`${stack.url}/api/docs`)).text()).toContain('swagger-ui-bundle.js');
});

test('past the limits a request is 429 with Retry-After, per account', async () => {
  const small = await startTestStack({ SENDS_PER_MINUTE: '2', READS_PER_SECOND: '3' }, { works: false });
  try {
    const [one, two] = [await small.person(), await small.person()];
    const statuses = await Promise.all(
      Array.from({ length: 6 }, async () => (await one.call('GET', '/api/me')).status),
    );
    expect(statuses.filter((status) => status === 429)).toHaveLength(3);
    expect((await two.call('GET', '/api/me')).status).toBe(200);
    for (let i = 0; i < 2; i++) await one.call('POST', '/api/chat/send', {});
    const refused = await one.call('POST', '/api/chat/send', {});
    expect([refused.body.code, Number(refused.headers.get('retry-after'))]).toEqual([
      'rate_limited',
      expect.any(Number),
    ]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  } finally {
    await small.close();
  }
});

test('past the measured bound a new turn is 503 before anything is written', async () => {
  const full = await startTestStack({ MAX_TURNS_IN_FLIGHT: '1' });
  try {
    const someone = await full.person();

    const gate = new Gate('request');
    full.model.next({ gate });
    const body = { message: '하나', turnId: randomUUID() };
    expect((await someone.call('POST', '/api/chat/send', body, { prefer: 'respond-async' })).status).toBe(202);
    const refused = await someone.call('POST', '/api/chat/send', { message: '둘' });
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'overloaded', '2']);
    expect((await someone.call('GET', '/api/conversations')).body.items).toHaveLength(1);
    // A known turn is joined, not refused.
    expect((await someone.call('POST', '/api/chat/send', body, { prefer: 'respond-async' })).status).toBe(202);
    gate.open();
    // When it has ended there is room again, as soon as the turns are counted anew.
    expect((await someone.call('POST', '/api/chat/send', body)).status).toBe(200);
    const statuses: number[] = [];
    await until(
      async () =>
        statuses.push((await someone.call('POST', '/api/chat/send', { message: '둘' })).status) > 0 &&
        statuses.at(-1) === 200,
      10_000,
    );
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  } finally {
    await full.close();
  }
});
