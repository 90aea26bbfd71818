import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { Client } from 'pg';
import { createPlaces } from '../../api/http/limits.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ DATABASE_POOL_MAX: '6' }, { works: false });
});
afterAll(() => stack.close());

test('one person’s reads take half of the connections at most, and others are answered meanwhile', async () => {
  const [greedy, other] = [await stack.person(), await stack.person()];
  const locker = new Client({ connectionString: stack.db.url });
  await locker.connect();
  await locker.query('begin; lock table conversations in access exclusive mode');
  let reads: Promise<{ status: number; headers: Headers; body: any }>[] = [];
  try {
    reads = Array.from({ length: 120 }, () => greedy.call('GET', '/api/conversations?search=날씨'));
    const limited: { status: number; headers: Headers; body: any }[] = [];
    for (const read of reads) void read.then((answer) => answer.status === 429 && limited.push(answer));
    await until(() => limited.length === 16);
    expect(limited[0]?.body).toMatchObject({ code: 'rate_limited' });
    expect(limited[0]?.headers.get('retry-after')).toBe('1');
    expect(stack.db.database.pool().busy).toBe(3);
    expect((await other.call('GET', '/api/ai-usage')).status).toBe(200);
  } finally {
    await locker.end();
  }
  const statuses = (await Promise.all(reads)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(104);
});

test('nor do those of several people together take more, and each has an end', async () => {
  const greedy = await Promise.all([1, 2, 3].map(() => stack.person()));
  const other = await stack.person();
  const locker = new Client({ connectionString: stack.db.url });
  await locker.connect();
  await locker.query('begin; lock table conversations in access exclusive mode');
  try {
    const reads = greedy.flatMap((person) =>
      Array.from({ length: 4 }, () => person.call('GET', '/api/conversations?search=날씨')),
    );
    await until(() => stack.db.database.pool().busy >= 3);
    expect((await other.call('GET', '/api/ai-usage')).status).toBe(200);
    expect(stack.db.database.pool().busy).toBe(3);
    const refused = await Promise.all(reads);
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
  } finally {
    await locker.end();
  }
  expect((await greedy[0]!.call('GET', '/api/conversations')).status).toBe(200);
});

test('one person has 500 answers open that are long in coming, and gets their places back', async () => {
  const [greedy, other] = [await stack.person(), await stack.person()];
  const turnId = randomUUID();
  // No worker takes the turn up, so that its events are waited for.
  const sent = new AbortController();
  const send = greedy.raw('POST', '/api/chat/send', { turnId, message: 'x' }, {}, sent.signal).catch(() => null);
  const path = `/api/chat/turns/${turnId}/events`;
  await until(async () => (await greedy.call('GET', `/api/chat/turns/${turnId}`)).status === 200);
  sent.abort();
  await send;
  const answered: string[] = [];
  const sockets = Array.from({ length: 505 }, () => {
    const socket = connect(Number(new URL(stack.url).port), '127.0.0.1').on('error', () => {});
    socket.write(`GET ${path} HTTP/1.1\r\nhost: turnkeeper\r\nauthorization: Bearer ${greedy.token}\r\n\r\n`);
    return socket.once('data', (bytes) => answered.push(bytes.toString().slice(9, 12)));
  });
  try {
    await until(() => answered.length === 5);
    expect(new Set(answered)).toEqual(new Set(['429']));
    expect((await other.call('GET', path)).status).toBe(404);
    expect((await greedy.call('GET', '/api/ai-usage')).status).toBe(200);
  } finally {
    sockets.forEach((socket) => socket.destroy());
  }
  await until(async () => (await greedy.call('GET', `/api/chat/turns/${randomUUID()}/events`)).status === 404);
});

test('a reader that leaves while it waits gives its place on', async () => {
  const places = createPlaces({ most: 1, waiting: 2 });
  const leave = await places.enter(1);
  const [second, third] = [places.enter(1), places.enter(1)];
  await expect(places.enter(1)).rejects.toMatchObject({ code: 'rate_limited' });
  const own = await places.enter(2);
  own();
  leave();
  leave();
  (await second)();
  (await third)();
  (await places.enter(1))();
});
