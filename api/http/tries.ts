import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { networkOf } from '../../platform/http-server.ts';
import { isInside, plainAddress } from '../../platform/network.ts';
import type { Redis } from '../../platform/redis.ts';
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
      await byAccount.count(String(accountId));
      await byAddress.count(addressOf(request));
    },
  };
}

/**
 * The network that asks. What a proxy added last is believed of whoever connects from inside, where proxies are; from
 * outside anybody could add it.
 */
function addressOf({ socket, headers }: IncomingMessage): string {
  const peer = plainAddress(socket.remoteAddress ?? '');
  const added = plainAddress(
    String(headers['x-forwarded-for'] ?? '')
      .split(',')
      .at(-1) ?? '',
  );
  return networkOf(isIP(added) !== 0 && isInside(peer) ? added : peer);
}
