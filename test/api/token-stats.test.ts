import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenStats } from '../../domain/token-stats.ts';
import { openRedis } from '../../platform/redis.ts';
import { createStatsCache } from '../../platform/stats-cache.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

const KEY = 'admin:token:stats';
let stack: TestStack;
let admin: Person;
let person: Person;
beforeAll(async () => {
  stack = await startTestStack();
  admin = await stack.person('admin');
  person = await stack.person();
});
beforeEach(async () => {
  await stack.redis.commands.del([KEY, `${KEY}:lock`]);
});
afterAll(() => stack.close());

const stats = () => admin.call('GET', '/api/admin/token-stats');
const cached = async () => JSON.parse((await stack.redis.commands.get(KEY)) ?? 'null');
const setUsage = (usagePercent: number) =>
  person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent });

describe('the statistics', () => {
  test('are computed when nothing is cached, then cached for a little over 10 minutes, and say as of when', async () => {
    await setUsage(50);
    const { status, body } = await stats();
    expect([status, body]).toEqual([
      200,
      {
        overview: {
          totalUsers: 2,
          activeUsers: 1,
          totalUsedTokens: 50_000,
          totalPurchasedTokens: 0,
          averageUsedTokens: 25_000,
        },
        distribution: { under50: 1, under80: 1, under90: 0, under95: 0, over95: 0 },
        topUsers: [
          expect.objectContaining({ userId: person.userId, usedTokens: 50_000, usagePercent: 50, level: 'NORMAL' }),
          expect.objectContaining({ userId: admin.userId, usedTokens: 0 }),
        ],
        asOf: expect.stringMatching(/Z$/),
      },
    ]);
    await setUsage(60);
    expect((await stats()).body).toEqual(body);
    expect(await stack.redis.commands.ttl(KEY)).toBeGreaterThan(600);
    expect(await stack.redis.commands.ttl(KEY)).toBeLessThanOrEqual(660);
  });

  test('DELETE …/cache forgets them, and the audit log says who did', async () => {
    await setUsage(50);
    await stats();
    await setUsage(60);
    expect((await admin.call('DELETE', '/api/admin/token-stats/cache')).status).toBe(204);
    expect((await stats()).body.overview.totalUsedTokens).toBe(60_000);
    expect((await admin.call('GET', '/api/admin/audit?action=stats_cache.delete&limit=1')).body.items).toMatchObject([
      { adminId: admin.userId, target: 'token_stats' },
    ]);
  });

  test.each<[string, string]>([
    ['no JSON', '{'],
    ['another version’s shape', '{"overview":{}}'],
    ['null', 'null'],
    [
      'a field too many',
      JSON.stringify({
        overview: { totalUsers: 1, activeUsers: 1, totalUsedTokens: 1, totalPurchasedTokens: 1, averageUsedTokens: 1 },
        distribution: { under50: 1, under80: 0, under90: 0, under95: 0, over95: 0 },
        topUsers: [],
        asOf: 1,
        more: 1,
      }),
    ],
    [
      'a number below 0',
      JSON.stringify({
        overview: { totalUsers: -1, activeUsers: 1, totalUsedTokens: 1, totalPurchasedTokens: 1, averageUsedTokens: 1 },
        distribution: { under50: 1, under80: 0, under90: 0, under95: 0, over95: 0 },
        topUsers: [],
        asOf: 1,
      }),
    ],
  ])('a cached value that is %s is computed anew and overwritten', async (_, broken) => {
    await stack.redis.commands.set(KEY, broken);
    expect((await stats()).body.overview.totalUsers).toBe(2);
    expect((await cached()).overview.totalUsers).toBe(2);
  });

  test('a list where the value should be does not keep them from being computed', async () => {
    await stack.redis.commands.lPush(KEY, 'x');
    expect((await stats()).status).toBe(200);
  });

  test('one person’s are what they are shown themselves, fresh; an unknown one is 404', async () => {
    await setUsage(70);
    const {
      body: { asOf, email, userId, ...shown },
    } = await admin.call('GET', `/api/admin/token-stats/user/${person.userId}`);
    expect([userId, email, asOf]).toEqual([person.userId, null, expect.stringMatching(/Z$/)]);
    expect(shown).toEqual((await person.call('GET', '/api/ai-usage')).body);
    for (const id of ['999999', 'x', '0'])
      expect((await admin.call('GET', `/api/admin/token-stats/user/${id}`)).status).toBe(404);
  });

  test('are for admins only', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/user/1'],
      ['DELETE', '/cache'],
    ] as const)
      expect((await person.call(method, `/api/admin/token-stats${path}`)).body.code).toBe('forbidden');
  });

  test('are refreshed by the schedule, whose workflow shows what it found and no e-mail', async () => {
    const id = `${stack.taskQueuePrefix}admin-stats`;
    const schedule = stack.temporal.client.schedule.getHandle(id);
    expect(await schedule.describe()).toMatchObject({
      spec: { intervals: [{ every: 600_000 }] },
      policies: { overlap: 'SKIP', catchupWindow: 60_000 },
    });
    await stack.redis.commands.set(KEY, 'broken');
    await schedule.trigger();
    while ((await stack.redis.commands.get(KEY)) === 'broken') await sleep(20);
    expect((await cached()).overview.totalUsers).toBe(2);
    const {
      info: { recentActions },
    } = await schedule.describe();
    const { workflow } = recentActions.at(-1)!.action;
    const found = await stack.temporal.client.workflow
      .getHandle(workflow.workflowId, workflow.firstExecutionRunId)
      .result();
    expect(found).toMatchObject({ totalUsers: 2, cached: true, asOf: expect.stringMatching(/Z$/) });
    expect(JSON.stringify(found)).not.toMatch(/@|topUsers/);
  });
});

describe('however many ask while nothing is cached', () => {
  /** Counts computations; each waits until `open` is called. */
  function counted() {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const calls = { count: 0, open: () => open() };
    const compute = async (): Promise<TokenStats> => {
      calls.count += 1;
      await opened;
      return { ...EMPTY, asOf: calls.count };
    };
    return { calls, compute };
  }

  test('three processes with 20 readers each compute once', async () => {
    const { calls, compute } = counted();
    const processes = Array.from({ length: 3 }, () => createStatsCache({ redis: stack.redis, compute }));
    const readers = processes.flatMap((process) => Array.from({ length: 20 }, () => process.read()));
    while (calls.count === 0) await sleep(5);
    await sleep(150);
    calls.open();
    expect(new Set((await Promise.all(readers)).map(({ asOf }) => asOf))).toEqual(new Set([1]));
    expect(calls.count).toBe(1);
  });

  test('who looked before it was filled and locks after it does not compute again', async () => {
    const { calls, compute } = counted();
    calls.open();
    const [first, late] = [
      createStatsCache({ redis: stack.redis, compute }),
      createStatsCache({
        // Another process fills the cache between this one's look and its lock.
        redis: {
          ask: async (work) => {
            const answer = await stack.redis.ask(work);
            if (answer === null && calls.count === 0) await first.read();
            return answer;
          },
        },
        compute,
      }),
    ];
    expect(await late.read()).toEqual(await first.read());
    expect(calls.count).toBe(1);
    expect(await stack.redis.commands.exists(`${KEY}:lock`)).toBe(0);
  });

  test('control: without Redis between them each process computes for itself, once', async () => {
    const { calls, compute } = counted();
    const away = await openRedis('redis://127.0.0.1:1');
    try {
      const processes = Array.from({ length: 3 }, () => createStatsCache({ redis: away, compute }));
      const readers = processes.flatMap((process) => Array.from({ length: 20 }, () => process.read()));
      calls.open();
      await Promise.all(readers);
      expect(calls.count).toBe(3);
      expect(await processes[0]!.refresh()).toMatchObject({ cached: false });
      await expect(processes[0]!.clear()).rejects.toThrow('Redis is away');
    } finally {
      await away.close();
    }
  });

  test('a computation that fails is told to its readers and delays nobody: the next reader computes at once', async () => {
    let fail = true;
    const cache = createStatsCache({
      redis: stack.redis,
      compute: async () => {
        if (fail) throw new Error('no database');
        return EMPTY;
      },
    });
    await expect(cache.read()).rejects.toThrow('no database');
    fail = false;
    expect(await createStatsCache({ redis: stack.redis, compute: async () => EMPTY }).read()).toEqual(EMPTY);
    expect(await cache.read()).toEqual(EMPTY);
  });

  test('one that was under way when the cache was cleared does not fill it', async () => {
    const { calls, compute } = counted();
    const cache = createStatsCache({ redis: stack.redis, compute });
    const before = cache.read();
    while (calls.count === 0) await sleep(5);
    await cache.clear();
    calls.open();
    expect((await before).asOf).toBe(1);
    expect(await cached()).toBeNull();
    expect((await cache.read()).asOf).toBe(2);
    expect((await cached()).asOf).toBe(2);
  });
});

const EMPTY: TokenStats = {
  overview: { totalUsers: 0, activeUsers: 0, totalUsedTokens: 0, totalPurchasedTokens: 0, averageUsedTokens: 0 },
  distribution: { under50: 0, under80: 0, under90: 0, under95: 0, over95: 0 },
  topUsers: [],
  asOf: 1,
};
