import { randomUUID } from 'node:crypto';
import type { StreamEntry } from '../domain/stream-events.ts';
import type { Redis } from './redis.ts';
import { announce, decodeMessage, encodeWord, turnKey, type Announcement } from './turn-stream.ts';

/** What happens to a turn, told as it happens. Callbacks run one after the other and must neither throw nor wait. */
export interface TurnWatcher {
  /** Read PostgreSQL (and the stream) again: the turn changed, or messages may have been missed while Redis was away. */
  onChanged(): void;
  onStop?(): void;
  /** In the order they were written, but possibly again or with some missing. */
  onEntry?(entry: StreamEntry): void;
}

export interface TurnWatch {
  /** True once nothing that is published from now on is missed; false when Redis is away (then `onChanged` says when it is back). */
  readonly ready: Promise<boolean>;
  /** Whether messages arrive now. */
  readonly live: boolean;
  close(): void;
}

/** All watchers of a process share one connection, and all of one turn one subscription. */
export interface TurnFeed {
  watch(turnId: string, watcher: TurnWatcher): TurnWatch;
  /** Hands a message to the watchers of this process at once: what a worker writes here need not go through Redis first. */
  deliver(turnId: string, message: StreamEntry | Announcement): void;
  /** Says it to whoever watches the turn, here and in other processes. */
  announce(turnId: string, word: Announcement): void;
  close(): void;
}

const READY_WITHIN_MS = 500;

export function createTurnFeed(redis: Redis): TurnFeed {
  return new SharedFeed(redis);
}

interface Channel {
  readonly turnId: string;
  readonly watchers: Set<TurnWatcher>;
  live: boolean;
  /** Messages may have been missed: whoever waited for `ready` was told false, or the connection was lost since. */
  missed: boolean;
  subscribed: Promise<boolean>;
}

class SharedFeed implements TurnFeed {
  readonly #redis: Redis;
  readonly #channels = new Map<string, Channel>();
  /** Names whose UNSUBSCRIBE did not get through: the client would renew them with every reconnect. */
  readonly #abandoned = new Set<string>();
  readonly #origin = randomUUID();

  constructor(redis: Redis) {
    this.#redis = redis;
    redis.subscriber.on('ready', this.#renew);
    redis.subscriber.on('error', this.#interrupt);
  }

  watch(turnId: string, watcher: TurnWatcher): TurnWatch {
    const name = turnKey(turnId);
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { turnId, watchers: new Set(), live: false, missed: false, subscribed: Promise.resolve(false) };
      this.#channels.set(name, channel);
      this.#subscribe([[name, channel]]);
    }
    const own = channel;
    own.watchers.add(watcher);
    return {
      ready: own.live ? Promise.resolve(true) : this.#within(own),
      get live() {
        return own.live;
      },
      close: () => { this.#leave(name, own, watcher); },
    };
  }

  deliver(turnId: string, message: StreamEntry | Announcement): void {
    const channel = this.#channels.get(turnKey(turnId));
    if (channel !== undefined) tell(channel, message);
  }

  announce(turnId: string, word: Announcement): void {
    this.deliver(turnId, word);
    announce(this.#redis, turnId, word, this.#origin);
  }

  close(): void {
    this.#redis.subscriber.off('ready', this.#renew);
    this.#redis.subscriber.off('error', this.#interrupt);
    const names = [...this.#channels.keys()];
    this.#channels.clear();
    for (const name of names) this.#unsubscribe(name);
  }

  /** One listener for all channels, so that subscribing again never doubles a message. */
  readonly #receive = (text: string, name: string): void => {
    // Our own words were heard when they were said; each would cost another look at PostgreSQL.
    if (this.#isOwnWord(text)) return;
    const channel = this.#channels.get(name);
    const message = channel === undefined ? null : decodeMessage(text);
    if (channel !== undefined && message !== null) tell(channel, message);
  };

  /** Entries are taken twice instead: whoever joined in between finds a hole filled, and a repeat costs nothing. */
  #isOwnWord(text: string): boolean {
    return text.endsWith(this.#origin) && (text === encodeWord('changed', this.#origin) || text === encodeWord('stop', this.#origin));
  }

  readonly #renew = (): void => {
    for (const name of this.#abandoned) if (!this.#channels.has(name)) this.#unsubscribe(name);
    this.#abandoned.clear();
    this.#subscribe([...this.#channels]);
  };

  readonly #interrupt = (): void => {
    for (const channel of this.#channels.values()) {
      if (!channel.live) continue;
      channel.live = false;
      channel.missed = true;
      // Also when it goes, not only when it is back: a reader then asks PostgreSQL more often.
      tell(channel, 'changed');
    }
  };

  #subscribe(channels: readonly (readonly [string, Channel])[]): void {
    const { subscriber } = this.#redis;
    // When it is not ready, `#renew` subscribes to everything as soon as it is.
    if (channels.length === 0 || !subscriber.isReady) return;
    const connection = subscriber.socketEpoch;
    const subscribed = subscriber.subscribe(channels.map(([name]) => name), this.#receive).then(() => {
      if (subscriber.socketEpoch !== connection || !subscriber.isReady) return false;
      for (const [, channel] of channels) {
        channel.live = true;
        if (channel.missed) tell(channel, 'changed');
        channel.missed = false;
      }
      return true;
    }, () => false);
    for (const [, channel] of channels) channel.subscribed = subscribed;
  }

  async #within(channel: Channel): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => { timer = setTimeout(() => setImmediate(() => { resolve(false); }), READY_WITHIN_MS); });
    const ready = await Promise.race([channel.subscribed, late]);
    clearTimeout(timer);
    if (!ready && !channel.live) channel.missed = true;
    return ready || channel.live;
  }

  #leave(name: string, channel: Channel, watcher: TurnWatcher): void {
    if (!channel.watchers.delete(watcher) || channel.watchers.size > 0 || this.#channels.get(name) !== channel) return;
    this.#channels.delete(name);
    channel.live = false;
    this.#unsubscribe(name);
  }

  #unsubscribe(name: string): void {
    this.#redis.subscriber.unsubscribe(name, this.#receive).catch(() => {
      if (!this.#channels.has(name)) this.#abandoned.add(name);
    });
  }
}

function tell(channel: Channel, message: StreamEntry | Announcement): void {
  for (const watcher of channel.watchers) {
    if (message === 'changed') watcher.onChanged();
    else if (message === 'stop') watcher.onStop?.();
    else watcher.onEntry?.(message);
  }
}
