import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { AppError } from '../../domain/errors.ts';
import type { Redis } from '../../platform/redis.ts';
import { networkOf } from '../../platform/http-server.ts';
import { limiter } from './limits.ts';

const HOUR_S = 3_600;

/** How often something that can be guessed is tried. */
export interface Tries {
  /** Counts one try. @throws AppError rate_limited with the seconds to wait. */
  count(accountId: number, request: IncomingMessage): Promise<void>;
}

/** @param most.account tries an hour of an account. @param most.address tries an hour from one address. */
export function createTries(
  redis: Redis,
  { name, most }: { name: string; most: { readonly account: number; readonly address: number } },
): Tries {
  const byAccount = limiter(redis, { keyPrefix: `tries:${name}:account`, points: most.account, duration: HOUR_S });
  const byAddress = limiter(redis, { keyPrefix: `tries:${name}:address`, points: most.address, duration: HOUR_S });
  return {
    async count(accountId, request) {
      for (const [limit, key] of [
        [byAccount, String(accountId)],
        [byAddress, addressOf(request)],
      ] as const) {
        const { isRefused, counted } = await limit.count(key);
        if (isRefused) throw new AppError('rate_limited', { retryAfter: counted.msBeforeNext / 1_000 });
      }
    },
  };
}

const INSIDE = /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|::1$|f[cd]|fe80)/i;

/**
 * The network that asks. What a proxy added last is believed of whoever connects from inside, where proxies are; from
 * outside anybody could add it.
 */
export function addressOf({ socket, headers }: IncomingMessage): string {
  const peer = (socket.remoteAddress ?? '').replace(/^::ffff:/i, '');
  const [added = ''] = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .slice(-1)
    .map((part) => part.trim());
  return networkOf(INSIDE.test(peer) && isIP(added) !== 0 ? added : peer);
}
