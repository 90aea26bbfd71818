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

/** A turn's hold and its first attempt are some milliseconds apart. Followers read ten times a second at most. */
const TOGETHER_MS = 25;

/**
 * The same a moment later, for a process that goes on: what changes within 25 ms is said once, and the words of all
 * accounts leave in one packet.
 */
export function announceAccountSoon(redis: Pick<Redis, 'ask'>, { userId }: { userId: number }): void {
  const waiting = changed.get(redis);
  if (waiting !== undefined) return void waiting.add(userId);
  const users = new Set([userId]);
  changed.set(redis, users);
  setTimeout(() => {
    changed.delete(redis);
    for (const user of users) announceAccount(redis, { userId: user });
  }, TOGETHER_MS).unref();
}

const changed = new WeakMap<Pick<Redis, 'ask'>, Set<number>>();

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
