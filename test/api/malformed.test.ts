import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { sendBytes } from '../support/socket.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

const UNKNOWN = '0198c0de-0000-7000-8000-000000000000';
type Operations = Record<string, { requestBody?: unknown }>;
let stack: TestStack;
let admin: Person;
let paths: Record<string, Operations>;
/** What the service has logged at error level, which a client's mistake never is. */
const errors: string[] = [];

beforeAll(async () => {
  stack = await startTestStack(
    {},
    { works: false, log: pino({ level: 'error' }, { write: (line) => errors.push(line) }) },
  );
  admin = await stack.person('admin');
  ({ paths } = (await (await fetch(`${stack.url}/api/openapi.json`)).json()) as { paths: typeof paths });
});
afterAll(async () => {
  await stack.close();
  expect(errors).toEqual([]);
});

const head = (method: string, path: string, ...headers: string[]) =>
  [
    `${method} ${path} HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${admin.token}`,
    'Connection: close',
    ...headers,
    '',
    '',
  ].join('\r\n');

describe('bytes that are no request', () => {
  const chunked = () =>
    head('POST', '/api/conversations', 'Content-Type: application/json', 'Transfer-Encoding: chunked');
  test.each<[string, () => string[], number, string]>([
    ['a chunk of no size', () => [`${chunked()}zz\r\n{}\r\n0\r\n\r\n`], 400, 'invalid_request'],
    ['a chunk longer than it says', () => [`${chunked()}1\r\n{}}}\r\n0\r\n\r\n`], 400, 'invalid_request'],
    [
      'a chunk with 20 KB of extensions',
      () => [`${chunked()}2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`],
      413,
      'payload_too_large',
    ],
    ['a header with a NUL', () => [head('GET', '/health', 'X-A: a\0b')], 400, 'invalid_request'],
    ['20 KB of headers', () => [head('GET', '/health', `X-A: ${'a'.repeat(20_000)}`)], 431, 'invalid_request'],
    ['no method', () => ['\0\u{1}\u{2}\r\n\r\n'], 400, 'invalid_request'],
    [
      'two lengths',
      () => [head('POST', '/api/conversations', 'Content-Length: 2', 'Content-Length: 3')],
      400,
      'invalid_request',
    ],
    [
      'a length and chunks',
      () => [head('POST', '/api/conversations', 'Content-Length: 2', 'Transfer-Encoding: chunked')],
      400,
      'invalid_request',
    ],
    ['two Hosts', () => [head('GET', '/health', 'host: y')], 400, 'invalid_request'],
    ['no Host', () => ['GET /health HTTP/1.1\r\nConnection: close\r\n\r\n'], 400, 'invalid_request'],
  ])('(%s) are answered in the flat shape, and their connection ends', async (_title, bytes, status, code) => {
    const answer = await sendBytes(stack.url, ...bytes());
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining('X-Request-Id: ')]);
    expect(JSON.parse(answer.text.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      code,
      message: expect.any(String),
      requestId: expect.any(String),
    });
  });

  test('under /v1 they are answered as OpenAI would, once the route is known', async () => {
    const chat = (...headers: string[]) =>
      head('POST', '/v1/chat/completions', 'Content-Type: application/json', ...headers);
    const chunks = await sendBytes(stack.url, `${chat('Transfer-Encoding: chunked')}zz\r\n{}\r\n0\r\n\r\n`);
    const announced = await sendBytes(stack.url, chat('Content-Length: 100000000'));
    const answers = [chunks, announced].map(({ status, text }) => {
      const { error } = JSON.parse(text.split('\r\n\r\n')[1] ?? '') as { error: Record<string, unknown> };
      return [status, error['type'], error['code']];
    });
    expect(answers).toEqual([
      [400, 'invalid_request_error', 'invalid_request'],
      [413, 'invalid_request_error', 'payload_too_large'],
    ]);
  });

  test('control: the same request in good form is answered', async () => {
    expect((await sendBytes(stack.url, `${chunked()}2\r\n{}\r\n0\r\n\r\n`)).status).toBe(201);
    expect((await sendBytes(stack.url, 'GET /health HTTP/1.0\r\n\r\n')).status).toBe(200);
    expect((await sendBytes(stack.url, head('GET', '/health', 'Expect: much'))).status).toBe(200);
  });
});

const PACKED: [string, string, Buffer, number, string][] = [
  ['a broken gzip', 'gzip', Buffer.from('no gzip at all'), 400, 'invalid_json'],
  ['half a gzip', 'gzip', gzipSync('{"title":"x"}').subarray(0, 15), 400, 'invalid_json'],
  ['a broken deflate', 'deflate', Buffer.from('x'), 400, 'invalid_json'],
  ['a broken Brotli', 'br', Buffer.from('nothing'), 400, 'invalid_json'],
  ['an encoding of no name', 'lzma', Buffer.from('{}'), 415, 'unsupported_media_type'],
  ['a gzip of too much', 'gzip', gzipSync(`{"title":"${' '.repeat(300_000)}"}`), 413, 'payload_too_large'],
  ['a whole gzip (control)', 'gzip', gzipSync('{"title":"x"}'), 201, ''],
];
test.each(PACKED)('a body packed as %s', async (_title, encoding, body, status, code) => {
  const answer = await fetch(`${stack.url}/api/conversations`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${admin.token}`,
      'content-type': 'application/json',
      'content-encoding': encoding,
    },
    body: new Uint8Array(body),
  });
  expect([answer.status, ((await answer.json()) as { code?: string }).code ?? '']).toEqual([status, code]);
});

test('every path with an id takes ids in one spelling, and what is no text is the request’s own fault', async () => {
  // The OpenAI door has errors of its own shape, and names of models where others have ids.
  const withId = Object.entries(paths).filter(
    ([path]) => path.includes('{') && !path.startsWith('/v1/') && !path.endsWith('{model}'),
  );
  expect(withId.length).toBeGreaterThan(12);
  for (const [path, operations] of withId)
    for (const method of Object.keys(operations)) {
      const call = async (id: string) => {
        const { status, body } = await admin.call(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, id));
        return [method, path, id, status, body.code] as const;
      };
      expect(await call('%ff')).toEqual([method, path, '%ff', 400, 'invalid_request']);
      for (const id of ['+1', '-1', '01', '1e0', '1.0', '0x1', '%201', '1%00', '٣', '9'.repeat(400)]) {
        const [, , , status, code] = await call(id);
        // A body that is missing may be refused first, because it is read before ids are looked up.
        expect([method, path, id, status, code]).toEqual([method, path, id, 404, 'not_found']);
      }
    }
  // Control: the id of somebody who is there.
  expect((await admin.call('GET', `/api/admin/users/${admin.userId}`)).status).toBe(200);
});

test.each([
  '/api/admin/users?userId=',
  '/api/admin/turns?userId=',
  '/api/admin/audit?adminId=',
  '/api/notifications?limit=',
])('an id or a number in a query (%s…) has one spelling', async (path) => {
  for (const text of ['+1', '-1', '01', '1e0', '1.0', ' 1', '0x1', '', '9'.repeat(400)]) {
    const { status, body } = await admin.call('GET', path + encodeURIComponent(text));
    expect([text, status, body.code]).toEqual([text, 400, 'invalid_request']);
  }
  expect((await admin.call('GET', `${path}1`)).status).toBe(200);
});

test('every other method of every path is 405 with what the path allows, and OPTIONS says so', async () => {
  const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'];
  const known: [string, string[]][] = [
    ...Object.entries(paths).map(([path, operations]): [string, string[]] => [path, Object.keys(operations)]),
    ...['/api/openapi.json', '/api/docs', '/api/docs/start.js'].map((path): [string, string[]] => [path, ['get']]),
  ];
  for (const [path, own] of known) {
    const allowed = own.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
    const address = path.replaceAll(/\{\w+\}/g, UNKNOWN);
    for (const method of [...METHODS.filter((name) => !allowed.includes(name)), 'OPTIONS']) {
      const { status, text } = await sendBytes(stack.url, head(method, address));
      const allow = /^Allow: (.*)$/m.exec(text)?.[1]?.split(', ');
      expect([method, path, status, allow?.toSorted()]).toEqual([
        method,
        path,
        method === 'OPTIONS' ? 204 : 405,
        allowed.toSorted(),
      ]);
    }
  }
});

test('HEAD of a stream is its headers, and leaves nothing open', async () => {
  // The connection goes on: what comes after the HEAD is answered, though the stream itself would last for minutes.
  const asked = `${head('HEAD', '/api/events').replace('Connection: close\r\n', '')}${head('GET', '/health')}`;
  const { text } = await sendBytes(stack.url, asked);
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
  expect(text).toContain('text/event-stream');
  expect(text).not.toContain('event: usage');
});

test.each<[string, string, object]>([
  ['POST', '/api/conversations', { title: '\u{200b}\u{3164}' }],
  ['POST', '/api/chat/send', { message: '\u{200b}\u{2800} \u{feff}' }],
  ['POST', `/api/admin/turns/${UNKNOWN}/replay`, { reason: '\u{2060}' }],
  ['POST', '/api/admin/turns/replay', { filter: {}, reason: '\u{ad}' }],
  ['POST', '/api/admin/users/1/suspend', { reason: '\u{202e}' }],
  ['POST', '/api/admin/users/1/resume', { reason: '\u{3000}' }],
])('%s %s with text that nobody sees is 400', async (method, path, body) => {
  const { status, body: answer } = await admin.call(method, path, body);
  expect([status, answer.code, answer.field]).toEqual([400, 'invalid_request', Object.keys(body).at(-1)]);
});

/** Each number of each body, as far as JSON goes: no column may be what refuses it. */
test('numbers beyond their columns are 400 on every route', async () => {
  const NUMBERS = [2_147_483_648, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1, 1e300, -1e300, 0.5, -1];
  const key = { 'idempotency-key': 'bounds' };
  for (const value of NUMBERS) {
    const filter = { userId: admin.userId, state: 'failed' };
    const bodies: [string, object][] = [
      ['/api/chat/send', { message: 'a', conversationId: UNKNOWN, maxOutputTokens: value }],
      [`/api/admin/users/${admin.userId}/grants`, { reason: 'r', tokens: value }],
      ['/api/ai-usage/test-usage', { userId: value, usagePercent: 1 }],
      ['/api/ai-usage/test-usage', { userId: 999_999, usagePercent: value }],
      ['/api/admin/turns/replay', { filter: { ...filter, userId: value }, reason: 'r', dryRun: true }],
      ...['limit', 'ratePerSecond', 'confirm'].map((name): [string, object] => [
        '/api/admin/turns/replay',
        { filter, reason: 'r', [name]: value },
      ]),
    ];
    for (const [path, body] of bodies) {
      const { status } = await admin.call('POST', path, body, key);
      expect([path, body, status >= 200 && status < 500]).toEqual([path, body, true]);
    }
    const own = await admin.call('PUT', '/api/me/instructions', { text: 'a', version: value });
    expect([value, own.status]).toEqual([value, 400]);
  }
});
