import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Gate } from '../fake-model/scenario.ts';
import { openRedisProcess } from '../stream/redis-process.ts';
import { readEvents, textOf } from '../support/events.ts';
import { openProxy, through, type Proxy } from '../support/proxy.ts';
import { redisUrl, required, startTestStack, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';

let stack: TestStack;
let temporal: Proxy;
let redis: Proxy;
beforeAll(async () => {
  const target = redisUrl();
  [temporal, redis] = await Promise.all([openProxy(required('TEST_TEMPORAL_ADDRESS')), openProxy(target)]);
  stack = await startTestStack({ TEMPORAL_ADDRESS: temporal.address, REDIS_URL: through(redis, target) });
});
afterAll(async () => {
  await Promise.all([temporal.heal(), redis.heal()]);
  await stack.close();
  await Promise.all([temporal.close(), redis.close()]);
});

test('Temporal away: 503 with the turn’s id, bound; the same id joins it when Temporal is back, debited once', async () => {
  const turn = new TestTurn(stack, await stack.person());
  const calls = stack.model.requests.length;
  temporal.stall();
  const { status, body, headers } = await turn.send();
  expect([status, body.code, body.turnId, body.bound]).toEqual([503, 'unavailable', turn.turnId, true]);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  const ready = await turn.person.call('GET', '/health/ready');
  expect([ready.status, ready.body.temporal, ready.body.postgresql]).toEqual([503, 'down', 'ok']);
  expect((await turn.send({ message: '다른 질문' })).body.code).toBe('idempotency_conflict');
  await temporal.heal();
  expect((await turn.send()).body).toMatchObject({ state: 'completed' });
  expect(stack.model.requests).toHaveLength(calls + 1);
  expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
});

test('Redis away in mid-answer: the answer arrives whole, debited once', async () => {
  const turn = new TestTurn(stack, await stack.person());
  const gate = new Gate(3);
  stack.model.next({ gate });
  const sending = turn.send();
  await gate.reached;
  await redis.cut();
  gate.open();
  expect((await sending).body).toMatchObject({ state: 'completed', content: '안녕하세요. 무엇을 도와드릴까요?' });
  expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
  await redis.heal();
});

test('Redis that answers errors: ready is 200 and says degraded, and the text comes piece by piece to its own process', async () => {
  const full = await openRedisProcess();
  const own = await startTestStack({ REDIS_URL: full.url });
  try {
    const person = await own.person();
    const redisIs = async () => (await person.call('GET', '/health/ready')).body.redis;
    expect(await redisIs()).toBe('ok');
    await full.command('CONFIG', 'SET', 'maxmemory', '1');
    expect(await redisIs()).toBe('degraded');
    const gate = new Gate(3);
    own.model.next({ gate });
    const response = await person.raw('POST', '/api/chat/send', { message: '안녕' }, { accept: 'text/event-stream' });
    const seen = await readEvents(response, (events) => {
      // The model goes on only once a piece has arrived.
      if (events.some(({ event }) => event === 'delta')) gate.open();
      return false;
    });
    expect(seen.filter(({ event }) => event === 'delta').length).toBeGreaterThan(1);
    expect(seen.map(({ event }) => event)).not.toContain('restarted');
    expect(textOf(seen)).toBe('안녕하세요. 무엇을 도와드릴까요?');
    await full.command('CONFIG', 'SET', 'maxmemory', '0');
    await until(async () => (await redisIs()) === 'ok');
  } finally {
    await own.close();
    await full.close();
  }
});

test.each([
  [29_000, 200, 'ok'],
  [-29_000, 200, 'ok'],
  [31_000, 503, 'wrong'],
  [-31_000, 503, 'wrong'],
])(
  'a process whose clock is %d ms off: ready is %d, its clock %s, and a metric shows it',
  async (offMs, status, clock) => {
    const off = await startTestStack({}, { works: false, now: () => Date.now() + offMs });
    try {
      const ready = await (await off.person()).call('GET', '/health/ready');
      expect([ready.status, ready.body.clock, ready.body.postgresql]).toEqual([status, clock, 'ok']);
      const skew = /^turnkeeper_clock_skew_seconds (\S+)$/m.exec(await off.metrics.render())?.[1];
      expect(Math.abs(Number(skew) - offMs / 1_000)).toBeLessThan(1);
    } finally {
      await off.close();
    }
  },
);

test('a start that Temporal refuses binds nothing: 503 without the turn’s id, no live turn and no hold, and the same id takes another body', async () => {
  const refusing = await startTestStack({ TEMPORAL_NAMESPACE: 'no-such-namespace' }, { works: false });
  try {
    const turn = new TestTurn(refusing, await refusing.person());
    for (const message of ['첫 질문', '다른 질문']) {
      const { status, body, headers } = await turn.send({ message });
      expect([status, Number(headers.get('retry-after'))]).toEqual([503, 5]);
      expect(body).toEqual({ code: 'unavailable', message: expect.any(String), requestId: expect.any(String) });
    }
    expect((await turn.read()).body).toMatchObject({ turnId: turn.turnId, state: 'refused' });
    expect((await sql`select state, error_code as code from turns`.execute(refusing.db.database.sql)).rows).toEqual([
      { state: 'refused', code: 'unavailable' },
    ]);
    expect((await sql`select 1 from holds`.execute(refusing.db.database.sql)).rows).toEqual([]);
  } finally {
    await refusing.close();
  }
});
