import { within } from '../deadline.ts';
import type { Redis } from '../redis.ts';

/** The messages of one kind of feed: the names of its channels, and what a text on them means. */
export interface FeedProtocol<Watcher, Message> {
  nameOf(id: string): string;
  /** @returns null for a message of a later version, which is ignored. */
  decode(text: string): Message | null;
  /** Must neither throw nor wait. */
  deliver(watcher: Watcher, message: Message): void;
  /** The message for watchers that may have missed some. */
  readonly missed: Message;
}

export interface Watch {
  /**
   * True once no message that is published from now on is missed. False when Redis is away: the watcher is told when it
   * is back.
   */
  readonly ready: Promise<boolean>;
  /** Whether messages arrive now. */
  readonly live: boolean;
  close(): void;
}

const READY_WITHIN_MS = 500;

interface Channel<Watcher> {
  readonly watchers: Set<Watcher>;
  live: boolean;
  /** Messages may have been missed: `ready` was false, or the connection was lost since. */
  missed: boolean;
  subscribed: Promise<boolean>;
}

/** All watchers of a process share one connection, and all watchers of one id share one subscription. */
export class SharedFeed<Watcher, Message> {
  readonly #redis: Redis;
  readonly #protocol: FeedProtocol<Watcher, Message>;
  readonly #channels = new Map<string, Channel<Watcher>>();
  /** Channels whose UNSUBSCRIBE did not get through. The client would renew them with every reconnect. */
  readonly #abandoned = new Set<string>();

  constructor(redis: Redis, protocol: FeedProtocol<Watcher, Message>) {
    this.#redis = redis;
    this.#protocol = protocol;
    redis.subscriber.on('ready', this.#renew);
    redis.subscriber.on('error', this.#interrupt);
  }

  watch(id: string, watcher: Watcher): Watch {
    const name = this.#protocol.nameOf(id);
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { watchers: new Set(), live: false, missed: false, subscribed: Promise.resolve(false) };
      this.#channels.set(name, channel);
      this.#subscribe([[name, channel]]);
    }
    const own = channel;
    own.watchers.add(watcher);
    return {
      ready: own.live ? Promise.resolve(true) : this.#isReady(own),
      get live() {
        return own.live;
      },
      close: () => {
        this.#leave(name, own, watcher);
      },
    };
  }

  /** Hands a message to the watchers of this process, whatever way it came. */
  deliver(id: string, message: Message): void {
    const channel = this.#channels.get(this.#protocol.nameOf(id));
    if (channel !== undefined) this.#deliverTo(channel, message);
  }

  close(): void {
    this.#redis.subscriber.off('ready', this.#renew);
    this.#redis.subscriber.off('error', this.#interrupt);
    const names = [...this.#channels.keys()];
    this.#channels.clear();
    for (const name of names) this.#unsubscribe(name);
  }

  #deliverTo(channel: Channel<Watcher>, message: Message): void {
    for (const watcher of channel.watchers) this.#protocol.deliver(watcher, message);
  }

  /** One listener serves all channels, so that subscribing again never doubles a message. */
  readonly #receive = (text: string, name: string): void => {
    const channel = this.#channels.get(name);
    const message = channel === undefined ? null : this.#protocol.decode(text);
    if (channel !== undefined && message !== null) this.#deliverTo(channel, message);
  };

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
      // Watchers are told when the connection goes, and not only when it is back, so that readers ask PostgreSQL more
      // often.
      this.#deliverTo(channel, this.#protocol.missed);
    }
  };

  #subscribe(channels: readonly (readonly [string, Channel<Watcher>])[]): void {
    const { subscriber } = this.#redis;
    // While it is not ready nothing is sent: `#renew` subscribes to everything as soon as it is.
    if (channels.length === 0 || !subscriber.isReady) return;
    const connection = subscriber.socketEpoch;
    const subscribed = subscriber
      .subscribe(
        channels.map(([name]) => name),
        this.#receive,
      )
      .then(
        () => {
          if (subscriber.socketEpoch !== connection || !subscriber.isReady) return false;
          for (const [, channel] of channels) {
            channel.live = true;
            if (channel.missed) this.#deliverTo(channel, this.#protocol.missed);
            channel.missed = false;
          }
          return true;
        },
        () => false,
      );
    for (const [, channel] of channels) channel.subscribed = subscribed;
  }

  async #isReady(channel: Channel<Watcher>): Promise<boolean> {
    // One that is known to be away is not waited for.
    const ready = this.#redis.isReady() && (await within(READY_WITHIN_MS, channel.subscribed).catch(() => false));
    if (!ready && !channel.live) channel.missed = true;
    return ready || channel.live;
  }

  #leave(name: string, channel: Channel<Watcher>, watcher: Watcher): void {
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
