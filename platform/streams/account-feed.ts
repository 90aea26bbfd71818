import type { Redis } from '../redis.ts';
import { SharedFeed, type Watch } from './shared-feed.ts';

/**
 * Tells the followers of this user's account, in every process, that something has changed: tokens, a turn, a
 * notification. They read what changed from PostgreSQL, so that the figures shown are those that decide (G7). Call it
 * after the commit and do not wait: every follower also looks by itself from time to time.
 */
export function announceAccount(redis: Pick<Redis, 'ask'>, { userId }: { userId: number }): void {
  redis.ask((commands) => commands.publish(accountChannel(userId), CHANGED)).catch(() => {});
}

export interface AccountFeed {
  /** @param onChanged is also called when messages may have been missed. It must neither throw nor wait. */
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
    // Each watcher gets its own function, so that watching twice with the same callback makes two watchers.
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
