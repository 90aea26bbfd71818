import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { z } from 'zod';
import { createDoor } from '../../api/http/door.ts';
import { Stopping } from '../../api/stopping.ts';
import { errorMiddleware, FLAT_ENVELOPE, type ErrorEnvelope } from '../../api/http/errors.ts';
import { mountRoutes } from '../../api/http/mount.ts';
import { defineRoute } from '../../api/http/route.ts';
import { describeApi } from '../../api/openapi/openapi.ts';
import { AppError } from '../../domain/errors.ts';
import { readConfig } from '../../platform/config/config.ts';
import { createLog } from '../../platform/telemetry/log.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

const SECRET = 'whsec_test';

/** A payment provider's webhook: it is signed over the bytes, which no parser may have touched. */
const webhook = defineRoute({
  method: 'post',
  path: '/hooks/:provider',
  access: 'webhook',
  tag: 'Webhooks',
  summary: 'A hint from a provider',
  params: z.object({ provider: z.enum(['one', 'two']) }),
  answers: { 204: { description: 'Heard' } },
  errors: ['forbidden'],
  async handle({ request }, { params: { provider }, body }) {
    const signature = createHmac('sha256', SECRET).update(body).digest('hex');
    if (request.get('signature') !== `${provider}=${signature}`) throw new AppError('forbidden');
    return { status: 204 };
  },
});

/** The errors of another protocol: its own body, and its own status where ours would mislead its clients. */
const NESTED: ErrorEnvelope = {
  statusOf: { ...FLAT_ENVELOPE.statusOf, tokens_held: 429 },
  schemaOf: () => z.object({ error: z.object({ message: z.string(), code: z.string(), param: z.null() }) }),
  wrap: ({ code, message, details }) => ({ error: { message, code, param: null, turnkeeper: details } }),
};
const foreign = defineRoute({
  method: 'post',
  path: '/v1/answers',
  access: 'public',
  tag: 'Foreign',
  summary: 'Answers in another protocol',
  envelope: NESTED,
  body: z.strictObject({ ask: z.string() }),
  answers: { 200: { description: 'An answer', body: z.object({ text: z.string() }) } },
  errors: ['tokens_held'],
  async handle(_visitor, { body: { ask } }) {
    if (ask === 'held') throw new AppError('tokens_held', { retryAfter: 3, room: 0 });
    return { status: 200, body: { text: ask } };
  },
});
const closed = defineRoute({
  method: 'get',
  path: '/v1/closed',
  access: 'user',
  limit: 'read',
  tag: 'Foreign',
  summary: 'Only for who has signed in',
  envelope: NESTED,
  answers: { 204: { description: 'Nothing' } },
  errors: [],
  handle: async () => ({ status: 204 }),
});
const ROUTES = [webhook, foreign, closed];

let stack: TestStack;
let url: string;
let server: Server;

beforeAll(async () => {
  stack = await startTestStack({}, { works: false });
  const log = createLog({ level: 'silent', name: 'routes-test' });
  const door = createDoor(
    { database: stack.db.database, issuer: null, redis: stack.redis, config: readConfig({}), log },
    new Stopping(),
  );
  const app = express();
  mountRoutes(app, ROUTES, door);
  app.use(errorMiddleware({ log, metrics: stack.metrics }));
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await stack.close();
});

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

describe('a webhook', () => {
  const signed = (body: string, provider: string) => ({
    signature: `${provider}=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
  });

  test('gets the bytes as they came, whatever they are', async () => {
    for (const body of ['{ "a" : 1.0 }', '{"a":1}\n', 'not JSON', ''])
      expect((await post('/hooks/one', body, signed(body, 'one'))).status).toBe(204);
    expect((await post('/hooks/one', '{"a": 1}', signed('{"a":1}', 'one'))).status).toBe(403);
  });

  test('is refused by the door when it is too large, packed, of no known name or another method', async () => {
    const large = 'x'.repeat(300_000);
    expect((await post('/hooks/one', large, signed(large, 'one'))).status).toBe(413);
    expect((await post('/hooks/one', 'x', { ...signed('x', 'one'), 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await post('/hooks/three', '{}', signed('{}', 'three'))).status).toBe(404);
    expect((await fetch(`${url}/hooks/one`)).status).toBe(405);
  });
});

describe('a route with an envelope of its own', () => {
  test('wraps every error in it, its handler’s and the door’s, with the status of its protocol', async () => {
    expect(await (await post('/v1/answers', '{"ask":"why"}')).json()).toEqual({ text: 'why' });
    const held = await post('/v1/answers', '{"ask":"held"}', { 'accept-language': 'en' });
    expect([held.status, held.headers.get('retry-after'), await held.json()]).toEqual([
      429,
      '3',
      { error: { message: expect.any(String), code: 'tokens_held', param: null, turnkeeper: { room: 0 } } },
    ]);
    const refused = [
      await post('/v1/answers', '{'),
      await post('/v1/answers', '{"ask":1}'),
      await fetch(`${url}/v1/answers`),
      await fetch(`${url}/v1/closed`),
      await post('/v1/closed', ''),
    ];
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 405, 401, 401]);
    for (const response of refused) expect(Object.keys((await response.json()) as object)).toEqual(['error']);
    // Our own routes beside it still answer flat errors.
    expect(await (await post('/hooks/three', '')).json()).toMatchObject({ code: 'not_found' });
  });

  test('is described with it', () => {
    const { paths } = describeApi(ROUTES) as { paths: any };
    expect(Object.keys(paths['/v1/answers'].post.responses)).toEqual(['200', '400', '413', '415', '429', '500']);
    expect(paths['/v1/answers'].post.responses[429].content['application/json'].schema.required).toEqual(['error']);
    expect([paths['/v1/answers'].post.security, paths['/v1/closed'].get.security]).toEqual([[], undefined]);
    expect(Object.keys(paths['/hooks/{provider}'].post.requestBody.content)).toEqual(['*/*']);
  });
});

test('text comes as a type that the document names', async () => {
  const [person, admin] = await Promise.all([stack.person(), stack.person('admin')]);
  const { paths } = (await (await fetch(`${stack.url}/api/openapi.json`)).json()) as { paths: any };
  const { conversationId } = (await person.call('POST', '/api/conversations', {})).body;
  for (const [path, template, type] of [
    [
      `/api/conversations/${conversationId}/export?format=markdown`,
      '/api/conversations/{conversationId}/export',
      'markdown',
    ],
    ['/unsubscribe?t=x', '/unsubscribe', 'html'],
    ['/metrics', '/metrics', 'plain'],
  ] as const) {
    const { status, headers } = await (template === '/metrics' ? admin : person).raw('GET', path);
    expect([path, headers.get('content-type')?.split(';')[0]]).toEqual([path, `text/${type}`]);
    expect(Object.keys(paths[template].get.responses[status].content)).toContain(`text/${type}`);
  }
});

test('a stranger is let in by public calls only, a user by no call of the admins', async () => {
  const person = await stack.person();
  const { paths } = (await (await fetch(`${stack.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { security?: [] }>>;
  };
  const seen = { public: 0, user: 0, admin: 0 };
  for (const [path, operations] of Object.entries(paths))
    for (const [method, { security }] of Object.entries(operations)) {
      const access = security ? 'public' : /^\/(metrics$|api\/admin\/)/.test(path) ? 'admin' : 'user';
      seen[access]++;
      const address = path.replaceAll(/\{\w+\}/g, 'none');
      const { status } = await fetch(stack.url + address, { method: method.toUpperCase() });
      expect([method, path, status === 401]).toEqual([method, path, access !== 'public']);
      if (access === 'admin')
        expect([path, (await person.call(method.toUpperCase(), address)).status]).toEqual([path, 403]);
    }
  expect(Math.min(...Object.values(seen))).toBeGreaterThanOrEqual(4);
});

test('what a route may not be does not compile', () => {
  const rest = { method: 'post', path: '/x', tag: 'X', summary: 'x', answers: {}, errors: [] } as const;
  const handle = async () => null;
  const body = z.object({ a: z.string() });
  const routes = [
    defineRoute({ ...rest, access: 'user', limit: 'read', handle }),
    // @ts-expect-error whoever has signed in is counted, or it is said that nobody counts
    defineRoute({ ...rest, access: 'user', handle }),
    // @ts-expect-error a stranger has no account to count by
    defineRoute({ ...rest, access: 'public', limit: 'read', handle }),
    // @ts-expect-error a webhook's body is bytes
    defineRoute({ ...rest, access: 'webhook', body, handle }),
    // @ts-expect-error nobody is known behind an open door
    defineRoute({ ...rest, access: 'public', handle: async ({ principal }) => ({ status: 200, body: principal }) }),
    // @ts-expect-error access is said by each route
    defineRoute({ ...rest, handle }),
    // @ts-expect-error an envelope knows the status of every code
    defineRoute({ ...rest, access: 'public', handle, envelope: { ...NESTED, statusOf: { not_found: 404 } } }),
  ];
  expect(routes).toHaveLength(7);
});
