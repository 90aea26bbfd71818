import { followFeed, type FeedEvent, type FeedState } from './feed-connection.ts';
import { Leadership } from './leadership.ts';

export interface FeedListener {
  onEvent(event: FeedEvent): void;
  onState(state: FeedState): void;
  /** Something was missed: everything is to be read again. */
  onGap(): void;
  /** Another page of this browser has marked notifications as read. */
  onRead(): void;
}

type Word =
  | { readonly kind: 'event'; readonly event: FeedEvent }
  | { readonly kind: 'state'; readonly state: FeedState }
  | { readonly kind: 'gap' }
  | { readonly kind: 'read' }
  | { readonly kind: 'ask' };

const LOOK_EVERY_MS = 5_000;
/** Whoever leads passes on each of the server's comments, one in 15 s. */
const QUIET_MS = 20_000;

/**
 * The feed of one person's account, on one connection for all pages of this browser: one page has it and tells the
 * others. Where it got to is known to all of them, so that whichever takes over misses nothing. Pages of different
 * persons have feeds of their own.
 */
export class AccountFeed {
  readonly #channel: BroadcastChannel;
  readonly #leadership: Leadership;
  readonly #listener: FeedListener;
  readonly #look: ReturnType<typeof setInterval>;
  #lastEventId: string;
  #state: FeedState = 'connecting';
  #heardAt = Date.now();
  /** When the leader was asked whether it is still there, and has not answered. */
  #askedAt: number | null = null;

  /** @param from what the page knows already is no news: the `eventId` of what it read first. */
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
    this.#channel.addEventListener('message', ({ data }: MessageEvent<Word>) => this.#hear(data));
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

  #hear(word: Word): void {
    if (word.kind === 'ask') {
      if (this.#leadership.leads) this.#say({ kind: 'state', state: this.#state });
      return;
    }
    if (word.kind !== 'read') {
      // Two lead for a moment when one has taken over, and all do where there are no locks.
      if (this.#leadership.leads) return;
      this.#heardAt = Date.now();
    }
    this.#take(word);
  }

  #tell(word: Word): void {
    this.#say(word);
    this.#take(word);
  }

  #say(word: Word): void {
    this.#channel.postMessage(word);
  }

  #take(word: Word): void {
    switch (word.kind) {
      case 'event':
        this.#lastEventId = word.event.id;
        return this.#listener.onEvent(word.event);
      case 'state':
        if (word.state === this.#state) return;
        this.#state = word.state;
        return this.#listener.onState(word.state);
      case 'gap':
        return this.#listener.onGap();
      case 'read':
        return this.#listener.onRead();
      case 'ask':
        return;
    }
  }

  /** Asked first: after a sleep of the whole machine the leader is there, and has only said nothing for hours. */
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
