import { followFeed, type FeedEvent, type FeedState } from './feed-connection.ts';
import { Leadership } from './leadership.ts';

export interface FeedListener {
  onEvent(event: FeedEvent): void;
  onState(state: FeedState): void;
  /** Events were missed: everything must be read again. */
  onGap(): void;
  /** Another page of this browser has marked notifications as read. */
  onRead(): void;
}

type TabMessage =
  | { readonly kind: 'event'; readonly event: FeedEvent }
  | { readonly kind: 'state'; readonly state: FeedState }
  | { readonly kind: 'gap' }
  | { readonly kind: 'read' }
  | { readonly kind: 'ask' };

const LOOK_EVERY_MS = 5_000;
/** The leading page passes on each of the server's comments, which come every 15 s. */
const QUIET_MS = 20_000;

/**
 * The feed of one person's account, over one connection for all pages of this browser: one page leads, has the
 * connection and tells the others. All pages know the last event's id, so that whichever takes over misses nothing.
 * Pages of different people have separate feeds.
 */
export class AccountFeed {
  readonly #channel: BroadcastChannel;
  readonly #leadership: Leadership;
  readonly #listener: FeedListener;
  readonly #look: ReturnType<typeof setInterval>;
  #lastEventId: string;
  #state: FeedState = 'connecting';
  #heardAt = Date.now();
  /** When the leader was asked whether it is still there; null when no answer is due. */
  #askedAt: number | null = null;

  /** @param from the `eventId` of what the page read first: what it already knows is not told again. */
  constructor({
    userId,
    from,
    open,
    listener,
  }: {
    userId: number;
    from: string;
    open: (lastEventId: string, signal: AbortSignal) => Promise<Response>;
    listener: FeedListener;
  }) {
    this.#lastEventId = from;
    this.#listener = listener;
    const name = `turnkeeper.events.${userId}`;
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener('message', ({ data }: MessageEvent<TabMessage>) => this.#hear(data));
    const sink = {
      onEvent: (event: FeedEvent) => this.#tell({ kind: 'event', event }),
      onState: (state: FeedState) => {
        if (state !== this.#state) this.#tell({ kind: 'state', state });
      },
      onAlive: () => this.#say({ kind: 'state', state: this.#state }),
      onGap: () => this.#tell({ kind: 'gap' }),
    };
    this.#leadership = new Leadership(name, (signal) => followFeed({ open, from: this.#lastEventId, sink, signal }));
    this.#say({ kind: 'ask' });
    this.#look = setInterval(() => this.#watchLeader(), LOOK_EVERY_MS);
  }

  /** This page has marked notifications as read. */
  tellRead(): void {
    this.#say({ kind: 'read' });
  }

  close(): void {
    clearInterval(this.#look);
    this.#leadership.close();
    this.#channel.close();
  }

  #hear(message: TabMessage): void {
    if (message.kind === 'ask') {
      if (this.#leadership.leads) this.#say({ kind: 'state', state: this.#state });
      return;
    }
    if (message.kind !== 'read') {
      // Two pages lead for a moment when one takes over, and all do where there are no locks.
      if (this.#leadership.leads) return;
      this.#heardAt = Date.now();
    }
    this.#take(message);
  }

  #tell(message: TabMessage): void {
    this.#say(message);
    this.#take(message);
  }

  #say(message: TabMessage): void {
    this.#channel.postMessage(message);
  }

  #take(message: TabMessage): void {
    switch (message.kind) {
      case 'event':
        this.#lastEventId = message.event.id;
        return this.#listener.onEvent(message.event);
      case 'state':
        if (message.state === this.#state) return;
        this.#state = message.state;
        return this.#listener.onState(message.state);
      case 'gap':
        return this.#listener.onGap();
      case 'read':
        return this.#listener.onRead();
      case 'ask':
        return;
    }
  }

  /**
   * Asks a silent leader before taking over. After a sleep of the whole machine the leader still exists and has only
   * been silent for hours.
   */
  #watchLeader(): void {
    const quiet = !this.#leadership.leads && Date.now() - this.#heardAt > QUIET_MS;
    if (!quiet) this.#askedAt = null;
    else if (this.#askedAt === null) {
      this.#askedAt = Date.now();
      this.#say({ kind: 'ask' });
    } else {
      this.#askedAt = null;
      this.#heardAt = Date.now();
      this.#leadership.takeOver();
    }
  }
}
