import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStatsCache } from '../../platform/stats-cache.ts';
import { RedisAway } from '../../platform/redis.ts';
import { openRedisProcess, type RedisProcess } from './redis-process.ts';
import { complete, follow, openStage, openWriter, restarts, TestTurn, until, type Stage } from './stage.ts';

let folder: string;
let server: RedisProcess;
let stage: Stage;
/** Another process's. */
let other: Stage;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnkeeper-redis-'));
  server = await openRedisProcess(true, ['--dir', folder]);
  [stage, other] = await Promise.all([openStage(server.url), openStage(server.url)]);
});
afterEach(async () => {
  await Promise.all([stage.close(), other.close()]);
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Why a Redis answers writes with errors, and how it comes to take them again. */
const REFUSALS: Record<string, { begin: () => Promise<unknown>; end: () => Promise<unknown> }> = {
  READONLY: {
    begin: () => server.command('REPLICAOF', '127.0.0.1', '1'),
    end: () => server.command('REPLICAOF', 'NO', 'ONE'),
  },
  OOM: {
    begin: () => server.command('CONFIG', 'SET', 'maxmemory', '1'),
    end: () => server.command('CONFIG', 'SET', 'maxmemory', '0'),
  },
  MISCONF: {
    begin: async () => {
      rmSync(folder, { recursive: true });
      await server.command('CONFIG', 'SET', 'save', '3600 1');
      await server.command('BGSAVE');
      const failed = async () => /rdb_last_bgsave_status:err/.test(String(await server.command('INFO', 'persistence')));
      await until(failed, 'a snapshot that fails');
    },
    end: () => server.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no'),
  },
};

describe.each(Object.keys(REFUSALS))('Redis answers %s', (name) => {
  const { begin, end } = REFUSALS[name] as (typeof REFUSALS)[string];

  test('readers of the writer’s process get each piece all the same, others when it takes writes again', async () => {
    const turn = new TestTurn();
    const [here, elsewhere] = [follow(stage, turn), follow(other, turn)];
    const writer = openWriter(stage, turn);
    writer.delta('a');
    await until(() => here.text === 'a' && elsewhere.text === 'a', 'the text before');
    await begin();
    let text = 'a';
    for (const piece of ['b', 'c', 'd']) {
      writer.delta(piece);
      text += piece;
      const soFar = text;
      await until(() => here.text === soFar, `the piece ${piece}`);
    }
    await until(() => !stage.redis.isReady(), 'the refusal to be noticed');
    // What the server took before its first refusal may have been published and not kept.
    expect(elsewhere.text).not.toBe('abcd');
    await expect(stage.redis.ask((commands) => commands.get('x'))).rejects.toThrow(RedisAway);
    await end();
    await until(() => elsewhere.text === 'abcd', 'the text elsewhere');
    expect(stage.redis.isReady()).toBe(true);
    await complete(stage, turn, writer);
    await Promise.all([here.done, elsewhere.done]);
    expect([here.text, ...restarts(here.events), elsewhere.text, ...restarts(elsewhere.events)]).toEqual([
      'abcd',
      'abcd',
    ]);
  });

  test('an answer’s end does not wait for it, who asks learns of it at once, and the answer arrives whole', async () => {
    expect(await other.redis.probe()).toBe(true);
    await begin();
    expect(await other.redis.probe()).toBe(false);
    const turn = new TestTurn();
    const [here, elsewhere] = [follow(stage, turn), follow(other, turn)];
    const writer = openWriter(stage, turn);
    writer.delta('an answer');
    await until(() => here.text === 'an answer', 'the text');
    await until(() => !stage.redis.isReady(), 'the refusal to be noticed');
    const began = performance.now();
    await complete(stage, turn, writer);
    expect(performance.now() - began).toBeLessThan(400);
    await Promise.all([here.done, elsewhere.done]);
    expect([here.text, elsewhere.text]).toEqual(['an answer', 'an answer']);
    expect(restarts(here.events)).toEqual([]);
  });
});

test('a Redis that is known not to answer delays no reader of the writer’s process', async () => {
  await server.command('CLIENT', 'PAUSE', '4000', 'ALL');
  await expect(stage.redis.ask((commands) => commands.get('x'))).rejects.toThrow(RedisAway);
  const began = performance.now();
  const turn = new TestTurn();
  const here = follow(stage, turn);
  const writer = openWriter(stage, turn);
  writer.delta('a');
  await until(() => here.text === 'a', 'the text');
  expect(performance.now() - began).toBeLessThan(400);
  await complete(stage, turn, writer);
  await here.done;
});

test('a refusal of one command is no outage', async () => {
  await stage.redis.commands.set('text', 'no list');
  await expect(stage.redis.ask((commands) => commands.lLen('text'))).rejects.toThrow('WRONGTYPE');
  expect(stage.redis.isReady()).toBe(true);
});

test('in a cluster the statistics and their lock lie in one slot', async () => {
  const cluster = await openRedisProcess(true, ['--cluster-enabled', 'yes', '--dir', folder]);
  const member = await openStage(cluster.url);
  try {
    await cluster.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await until(() => member.redis.probe(), 'the cluster to serve');
    const stats = {
      overview: { totalUsers: 0, activeUsers: 0, totalUsedTokens: 0, totalPurchasedTokens: 0, averageUsedTokens: 0 },
      distribution: { under50: 0, under80: 0, under90: 0, under95: 0, over95: 0 },
      topUsers: [],
      asOf: 1,
    };
    let computed = 0;
    const compute = () => Promise.resolve({ ...stats, asOf: (computed += 1) });
    const cache = createStatsCache({ redis: member.redis, compute });
    expect([await cache.read(), await cache.read()]).toEqual([stats, stats]);
    await cache.clear();
    expect(await cache.read()).toEqual({ ...stats, asOf: 2 });
    const apart = member.redis.commands.del(['admin:token:stats', 'admin:token:stats:lock']);
    await expect(apart).rejects.toThrow('CROSSSLOT');
  } finally {
    await member.close();
    await cluster.close();
  }
});
