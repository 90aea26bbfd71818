import { randomUUID } from 'node:crypto';
import type { Redis } from '../redis.ts';
import { SharedFeed } from './shared-feed.ts';

/**
 * Says that this process lives, for as long as its connection to Redis does: of a process that is killed Redis knows at
 * once, and no beat has to be missed first.
 */
export interface Presence {
  /** By which others know this process. */
  readonly id: string;
  /** Whether a process is known to be gone. Nobody knows while Redis is away, or does not see us either: false. */
  isGone(id: string): Promise<boolean>;
}

export function createPresence(redis: Redis): Presence {
  const id = randomUUID();
  const feed = new SharedFeed<null, null>(redis, {
    nameOf: channelOf,
    // Nothing is ever said on these channels.
    decode: () => null,
    deliver: () => {},
    missed: null,
  });
  feed.watch(id, null);
  return {
    id,
    async isGone(other) {
      try {
        const counts = await redis.ask((commands) => commands.pubSubNumSub([channelOf(id), channelOf(other)]));
        return (counts[channelOf(id)] ?? 0) > 0 && counts[channelOf(other)] === 0;
      } catch {
        return false;
      }
    },
  };
}

function channelOf(process: string): string {
  return `process:${process}`;
}
