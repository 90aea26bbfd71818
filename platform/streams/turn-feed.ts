import { randomUUID } from 'node:crypto';
import type { StreamEntry } from '../../domain/stream-events.ts';
import type { Redis } from '../redis.ts';
import { SharedFeed, type Watch } from './shared-feed.ts';
import { announce, decodeMessage, encodeWord, turnKey, type Announcement } from './redis-stream.ts';

/** What happens to a turn, told as it happens. Callbacks run one after the other and must neither throw nor wait. */
export interface TurnWatcher {
  /**
   * Read PostgreSQL (and the stream) again: the turn changed, or messages may have been missed while Redis was away.
   */
  onChanged(): void;
  onStop?(): void;
  /** In the order they were written, but possibly again or with some missing. */
  onEntry?(entry: StreamEntry): void;
}

export type TurnWatch = Watch;

export interface TurnFeed {
  watch(turnId: string, watcher: TurnWatcher): TurnWatch;
  /**
   * Hands a message to the watchers of this process at once: what a worker writes here need not go through Redis first.
   */
  deliver(turnId: string, message: StreamEntry | Announcement): void;
  /** To whoever watches the turn, here and in other processes. */
  announce(turnId: string, word: Announcement): void;
  close(): void;
}

export function createTurnFeed(redis: Redis): TurnFeed {
  const origin = randomUUID();
  const feed = new SharedFeed<TurnWatcher, StreamEntry | Announcement>(redis, {
    nameOf: turnKey,
    deliver,
    missed: 'changed',
    // Our own words were heard when they were said; each would cost another look at PostgreSQL.
    decode: (text) => (isWordOf(origin, text) ? null : decodeMessage(text)),
  });
  return {
    watch: (turnId, watcher) => feed.watch(turnId, watcher),
    deliver: (turnId, message) => {
      feed.deliver(turnId, message);
    },
    announce(turnId, word) {
      feed.deliver(turnId, word);
      announce(redis, turnId, word, origin);
    },
    close: () => {
      feed.close();
    },
  };
}

/** Entries are taken twice instead: whoever joined in between finds a hole filled, and a repeat costs nothing. */
function isWordOf(origin: string, text: string): boolean {
  return text.endsWith(origin) && (text === encodeWord('changed', origin) || text === encodeWord('stop', origin));
}

function deliver(watcher: TurnWatcher, message: StreamEntry | Announcement): void {
  if (message === 'changed') watcher.onChanged();
  else if (message === 'stop') watcher.onStop?.();
  else watcher.onEntry?.(message);
}
