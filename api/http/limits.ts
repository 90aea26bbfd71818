import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { HeldKey } from '../../db/people/key-holders.ts';
import { AppError } from '../../domain/errors.ts';
import type { Redis } from '../../platform/redis.ts';

export interface RequestLimits {
  /**
   * Sends count against the key's own limit, too, where it has one.
   * @returns what is left of the limit that has less. @throws AppError rate_limited with the seconds to wait.
   */
  consume(kind: 'send' | 'read', accountId: number, key: LimitedKey | null): Promise<RequestRoom>;
}

type LimitedKey = Pick<HeldKey, 'keyId' | 'requestsPerMinute'>;

/** How many more requests an account may make before its limit begins anew. */
export interface RequestRoom {
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/** Limits each account. Redis counts for all API processes; without it each process counts for itself. */
export function createRequestLimits(
  redis: Redis,
  { sendsPerMinute, readsPerSecond }: { sendsPerMinute: number; readsPerSecond: number },
): RequestLimits {
  const limiters = {
    send: limiter(redis, { keyPrefix: 'limit:send', points: sendsPerMinute, duration: 60 }),
    read: limiter(redis, { keyPrefix: 'limit:read', points: readsPerSecond, duration: 1 }),
  };
  // Each key has a limit of its own, so what is counted is compared here.
  const ofKeys = limiter(redis, { keyPrefix: 'limit:key', points: Number.MAX_SAFE_INTEGER, duration: 60 });
  async function consumeOfKey({ keyId, requestsPerMinute }: LimitedKey): Promise<RequestRoom | null> {
    if (requestsPerMinute === null) return null;
    const counted = await ofKeys.count(String(keyId));
    if (counted.consumedPoints > requestsPerMinute) throw refusalOf(counted);
    return {
      limit: requestsPerMinute,
      remaining: requestsPerMinute - counted.consumedPoints,
      resetMs: counted.msBeforeNext,
    };
  }
  return {
    async consume(kind, accountId, key) {
      // First, so that what a key is refused counts against no other of the account.
      const ofKey = kind === 'send' && key !== null ? await consumeOfKey(key) : null;
      const { points, count } = limiters[kind];
      const counted = await count(String(accountId));
      const remaining = Math.max(0, counted.remainingPoints);
      if (ofKey !== null && ofKey.remaining < remaining) return ofKey;
      return { limit: points, remaining, resetMs: counted.msBeforeNext };
    },
  };
}

/** Counts in Redis for all API processes; without it each counts for itself. */
export function limiter(redis: Redis, options: { keyPrefix: string; points: number; duration: number }) {
  const shared = new RateLimiterRedis({ ...options, storeClient: redis.commands, useRedisPackage: true });
  const own = new RateLimiterMemory(options);
  return {
    points: options.points,
    /** Counts one. @throws AppError rate_limited with the seconds to wait. */
    async count(key: string): Promise<RateLimiterRes> {
      try {
        // 100 ms, because a limit must not make a person wait for a Redis that hangs.
        return await redis.ask(() => shared.consume(key), 100);
      } catch (error) {
        if (error instanceof RateLimiterRes) throw refusalOf(error);
        return own.consume(key).catch((refused: unknown) => {
          throw refused instanceof RateLimiterRes ? refusalOf(refused) : refused;
        });
      }
    },
  };
}

function refusalOf({ msBeforeNext }: RateLimiterRes): AppError {
  return new AppError('rate_limited', { retryAfter: msBeforeNext / 1_000 });
}

/**
 * How often a person may do what leaves something behind for good, or makes us call somebody.
 * @param deps are used by the first call only, because routes are also made to be described.
 * @returns counts one. It throws AppError rate_limited.
 */
export function createAllowance(
  deps: { readonly redis: Redis },
  { name, most, withinS }: { name: string; most: number; withinS: number },
): (userId: number) => Promise<void> {
  let made: ReturnType<typeof limiter> | undefined;
  return async (userId) => {
    made ??= limiter(deps.redis, { keyPrefix: `limit:${name}`, points: most, duration: withinS });
    await made.count(String(userId));
  };
}

/** Lets a few requests of each account work at once in this process; its others wait behind them. */
export interface Places {
  /** @returns a function that gives the place back. @throws AppError rate_limited when too many wait. */
  enter(accountId: number): Promise<() => void>;
}

interface Account {
  taken: number;
  readonly waiting: (() => void)[];
}

/**
 * @param most at work at once. @param most.waiting requests of an account that may wait for a place.
 * @param most.inAll at work and waiting, of all accounts.
 */
export function createPlaces({
  most,
  waiting,
  inAll = Infinity,
}: {
  most: number;
  waiting: number;
  inAll?: number;
}): Places {
  let present = 0;
  const accounts = new Map<number, Account>();
  return {
    async enter(accountId) {
      if (present >= inAll) throw new AppError('overloaded', { retryAfter: 2 });
      const account = accounts.get(accountId) ?? { taken: 0, waiting: [] };
      accounts.set(accountId, account);
      if (account.taken >= most && account.waiting.length >= waiting)
        throw new AppError('rate_limited', { retryAfter: 1 });
      present += 1;
      if (account.taken < most) account.taken += 1;
      else await new Promise<void>((enter) => account.waiting.push(enter));
      let left = false;
      return () => {
        if (left) return;
        left = true;
        present -= 1;
        const next = account.waiting.shift();
        // The place goes to the next one as it is.
        if (next !== undefined) next();
        else if ((account.taken -= 1) === 0) accounts.delete(accountId);
      };
    },
  };
}
