import type { Redis } from '../redis.ts';
import { SharedFeed, type Watch } from './shared-feed.ts';

/**
 * Says to whoever follows the account of this user, in any process, that something of it changed: its tokens, a turn, a
 * notification. What changed is read from PostgreSQL, so that the figures shown are those that decide (G7). Call it
 * after the commit; fire and forget, because every follower also looks by itself from time to time.
 */
export function announceAccount(redis: Pick<Redis, 'ask'>, { userId }: { userId: number }): void {
  redis.ask((commands) => commands.publish(accountChannel(userId), CHANGED)).catch(() => {});
}

export interface AccountFeed {
  /** @param onChanged also told when messages may have been missed; must neither throw nor wait. */
  watch(userId: number, onChanged: () => void): Watch;
  close(): void;
}

export function createAccountFeed(redis: Redis): AccountFeed {
  const feed = new SharedFeed<() => void, typeof CHANGED>(redis, {
    nameOf: (id) => accountChannel(Number(id)),
    decode: (text) => (text === CHANGED ? text : null),
    deliver: (onChanged) => {
      onChanged();
    },
    missed: CHANGED,
  });
  return {
    // A function of its own for each watcher, so that two of the same are two.
    watch: (userId, onChanged) =>
      feed.watch(String(userId), () => {
        onChanged();
      }),
    close: () => {
      feed.close();
    },
  };
}

const CHANGED = 'changed';

function accountChannel(userId: number): string {
  return `account:${userId}`;
}
