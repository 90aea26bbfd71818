import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { LEVELS } from '../domain/policy.ts';
import type { TokenStats } from '../domain/token-stats.ts';
import type { Redis } from './redis.ts';

/** The admins' statistics in Redis: only a copy of what PostgreSQL said at `asOf` (G6). */
export interface StatsCache {
  /**
   * Returns the cached statistics. If there are none, they are computed once, however many processes ask. Without Redis
   * each process computes them.
   */
  read(): Promise<TokenStats>;
  /** Computes and caches. @returns `cached` false when Redis did not take it. */
  refresh(): Promise<{ readonly stats: TokenStats; readonly cached: boolean }>;
  /** Empties the cache. A computation under way no longer fills it. @throws as Redis does, or RedisAway. */
  clear(): Promise<void>;
}

const KEY = 'admin:token:stats';
/** In a cluster a script's keys lie in one slot: that of the text in braces, which is the other key. */
const LOCK = `{${KEY}}:lock`;
/** A little over the 10 minutes between two runs of the schedule, so that there is always one. */
const TTL_SECONDS = 11 * 60;
/**
 * Longer than a statement may run (15 s), so that the lock outlives a computation. A process that dies with the lock
 * delays others no longer than this.
 */
const LOCK_MS = 20_000;
const POLL_MS = 50;
/** Longer than the lock, so that whoever waits for a process that died gets the lock itself. */
const WAIT_MS = 25_000;

/** @param options.compute computes the statistics from PostgreSQL. */
export function createStatsCache({
  redis,
  compute,
}: {
  redis: Pick<Redis, 'ask'>;
  compute: () => Promise<TokenStats>;
}): StatsCache {
  let inFlight: Promise<TokenStats> | null = null;
  return {
    read() {
      if (inFlight !== null) return inFlight;
      const loading = load(redis, compute).finally(() => {
        if (inFlight === loading) inFlight = null;
      });
      return (inFlight = loading);
    },
    async refresh() {
      const stats = await compute();
      const stored = redis.ask((commands) =>
        commands.set(KEY, JSON.stringify(stats), { expiration: { type: 'EX', value: TTL_SECONDS } }),
      );
      return {
        stats,
        cached: await stored.then(
          () => true,
          () => false,
        ),
      };
    },
    async clear() {
      inFlight = null;
      await redis.ask((commands) => commands.del([KEY, LOCK]));
    },
  };
}

async function load(redis: Pick<Redis, 'ask'>, compute: () => Promise<TokenStats>): Promise<TokenStats> {
  const token = randomUUID();
  // Whatever is wrong with Redis, PostgreSQL has the figures.
  const found = await findOrLock(redis, token).catch(() => null);
  if (found !== null && found !== 'locked') return found;
  try {
    const stats = await compute();
    if (found === 'locked')
      await redis
        .ask((commands) =>
          commands.eval(STORE, { keys: [KEY, LOCK], arguments: [token, JSON.stringify(stats), String(TTL_SECONDS)] }),
        )
        .catch(() => {});
    return stats;
  } catch (error) {
    if (found === 'locked') await unlock(redis, token);
    throw error;
  }
}

/** A lock that cannot be given back expires. */
async function unlock(redis: Pick<Redis, 'ask'>, token: string): Promise<void> {
  await redis.ask((commands) => commands.eval(UNLOCK, { keys: [LOCK], arguments: [token] })).catch(() => {});
}

/** The cached statistics, or the right to compute them; null when neither came in time. */
async function findOrLock(redis: Pick<Redis, 'ask'>, token: string): Promise<TokenStats | 'locked' | null> {
  const until = performance.now() + WAIT_MS;
  const find = async () => parse(await redis.ask((commands) => commands.get(KEY)));
  for (;;) {
    const cached = await find();
    if (cached !== null) return cached;
    const locked = await redis.ask((commands) =>
      commands.set(LOCK, token, { condition: 'NX', expiration: { type: 'PX', value: LOCK_MS } }),
    );
    if (locked === 'OK') {
      // The last holder may have filled the cache since this process looked.
      const filled = await find();
      if (filled === null) return 'locked';
      await unlock(redis, token);
      return filled;
    }
    if (performance.now() > until) return null;
    await sleep(POLL_MS);
  }
}

/**
 * Only the holder of the lock stores: figures of a lock that was lost (it expired, the cache was cleared) are out of
 * date.
 */
const STORE = `if redis.call('get', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3])
return redis.call('del', KEYS[2])`;
const UNLOCK = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

const count = z.int().min(0);
// A sum over all accounts may pass 2^53, where it is no longer exact, so it is no safe integer.
const total = z.number().min(0);
const statsSchema = z.strictObject({
  overview: z.strictObject({
    totalUsers: count,
    activeUsers: count,
    totalUsedTokens: total,
    totalPurchasedTokens: total,
    averageUsedTokens: count,
  }),
  distribution: z.strictObject({ under50: count, under80: count, under90: count, under95: count, over95: count }),
  topUsers: z
    .array(
      z.strictObject({
        userId: z.int().min(1),
        email: z.string().nullable(),
        usedTokens: count,
        purchasedTokens: count,
        totalAvailable: count,
        remainingTokens: count,
        usagePercent: z.number().min(0),
        level: z.enum(LEVELS),
      }),
    )
    .max(100),
  asOf: z.int(),
}) satisfies z.ZodType<TokenStats>;

/**
 * @returns null for nothing, for another version's shape and for anything foreign: it is computed anew and overwritten.
 */
function parse(text: string | null): TokenStats | null {
  if (text === null) return null;
  try {
    return statsSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
