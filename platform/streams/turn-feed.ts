import { randomUUID } from 'node:crypto';
import type { StreamEntry } from '../../domain/stream-events.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import type { Redis } from '../redis.ts';
import { SharedFeed, type Watch } from './shared-feed.ts';
import { announce, decodeMessage, encodeWord, turnKey, type Announcement } from './redis-stream.ts';

/** Hears what happens to a turn. Callbacks run one after the other and must neither throw nor wait. */
export interface TurnWatcher {
  /**
   * PostgreSQL (and the stream) should be read again: the turn has changed, or messages may have been missed while
   * Redis was away.
   * @param turn as PostgreSQL has it now, from whoever wrote it in this process: it need not be read.
   */
  onChanged(turn?: TurnRecord): void;
  onStop?(): void;
  /** Entries come in the order in which they were written, but possibly again or with some missing. */
  onEntry?(entry: StreamEntry): void;
}

export type TurnWatch = Watch;

export interface TurnFeed {
  watch(turnId: string, watcher: TurnWatcher): TurnWatch;
  /**
   * Hands a message to the watchers of this process at once: what a worker writes here need not go through Redis first.
   */
  deliver(turnId: string, message: StreamEntry | Announcement): void;
  /** Tells all watchers of the turn, in this process and in others. */
  announce(turnId: string, word: Announcement): void;
  /** Says `changed` to all, and hands the turn, as it was just committed, to the watchers of this process. */
  announceWritten(turn: TurnRecord): void;
  close(): void;
}

export function createTurnFeed(redis: Redis): TurnFeed {
  const origin = randomUUID();
  const feed = new SharedFeed<TurnWatcher, TurnMessage>(redis, {
    nameOf: turnKey,
    deliver,
    missed: 'changed',
    // Our own words are dropped when they come back: they were delivered at once, and each would cost another look at
    // PostgreSQL.
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
    announceWritten(turn) {
      feed.deliver(turn.turnId, { kind: 'written', turn });
      announce(redis, turn.turnId, 'changed', origin);
    },
    close: () => {
      feed.close();
    },
  };
}

/**
 * Only words are recognized as our own. Entries are delivered twice: a watcher that joined in between may need them,
 * and a repeat costs nothing.
 */
function isWordOf(origin: string, text: string): boolean {
  return text.endsWith(origin) && (text === encodeWord('changed', origin) || text === encodeWord('stop', origin));
}

/** A row never leaves the process: others are told that there is something to read. */
type TurnMessage = StreamEntry | Announcement | { readonly kind: 'written'; readonly turn: TurnRecord };

function deliver(watcher: TurnWatcher, message: TurnMessage): void {
  if (message === 'changed') watcher.onChanged();
  else if (message === 'stop') watcher.onStop?.();
  else if (message.kind === 'written') watcher.onChanged(message.turn);
  else watcher.onEntry?.(message);
}
