import { isEnding, type EventId, type ReadEvent, type StreamEntry } from '../../domain/stream-events.ts';
import { RedisAway, type Redis } from '../redis.ts';
import { TurnInbox } from './inbox.ts';
import { TurnReader, type EndedSnapshot, type TurnSnapshot } from './reader.ts';
import type { TurnFeed, TurnWatch } from './turn-feed.ts';

export interface FollowOptions<Turn = unknown> {
  readonly turnId: string;
  /** The last entry that the reader has (`parseEventId` of its Last-Event-ID); null: from the beginning. */
  readonly lastEventId: EventId | null;
  readonly redis: Redis;
  readonly feed: TurnFeed;
  /**
   * Reads PostgreSQL, or finds what is no older than the watch. Its first failure is thrown. Later ones are tried
   * again, because the turn goes on.
   */
  readonly readTurn: () => Promise<TurnSnapshot<Turn>>;
  /** Sends one event. Nothing more is read for this reader until it resolves. An error ends the following. */
  readonly emit: (event: ReadEvent<Turn>) => Promise<void> | void;
  /** Aborts when the reader has gone. */
  readonly signal: AbortSignal;
  /**
   * Milliseconds between two looks at a turn whose messages arrive (3,000). They only find what a lost message said.
   */
  readonly pollMs?: number;
}

export interface Followed {
  /** The ending was sent. */
  readonly ended: boolean;
  /** The turn was refused: there are no events, and the answer is its refusal. */
  readonly refused: boolean;
}

const POLL_MS = 3_000;
/** Looks without messages are frequent at first, because most outages are short. */
const AWAY_POLL_MS = 250;
const AWAY_POLL_MAX_MS = 1_000;
/** PostgreSQL was read just before a newer attempt opened, so the attempt is there when asked again. */
const RACE_MS = 25;

const GONE: Followed = { ended: false, refused: false };

/**
 * Sends a turn's events to one reader, from its place to the one ending, without a gap and without a repeat. Resolves
 * after the ending, or as soon as `signal` aborts, whatever `emit` or `readTurn` is waiting for. After that nothing is
 * emitted.
 */
export async function followTurn<Turn>(options: FollowOptions<Turn>): Promise<Followed> {
  const { turnId, feed, signal } = options;
  if (signal.aborted) return GONE;
  let leave = () => {};
  const gone = new Promise<Followed>((resolve) => {
    leave = () => {
      resolve(GONE);
    };
  });
  signal.addEventListener('abort', leave);
  const inbox = new TurnInbox();
  let following: Following<Turn> | null = null;
  const watch = feed.watch(turnId, {
    onChanged: () => {
      inbox.changed();
    },
    onEntry: (entry) => {
      // What was written here comes a second time by Redis.
      if (following?.has(entry) !== true) inbox.push(entry);
    },
  });
  try {
    following = new Following(options, inbox, watch);
    return await Promise.race([following.run(), gone]);
  } finally {
    signal.removeEventListener('abort', leave);
    watch.close();
    inbox.close();
  }
}

class Following<Turn> {
  readonly #options: FollowOptions<Turn>;
  readonly #inbox: TurnInbox;
  readonly #watch: TurnWatch;
  readonly #reader: TurnReader<Turn>;
  #awayPollMs = AWAY_POLL_MS;

  constructor(options: FollowOptions<Turn>, inbox: TurnInbox, watch: TurnWatch) {
    const { redis, turnId, emit, signal } = options;
    this.#options = options;
    this.#inbox = inbox;
    this.#watch = watch;
    this.#reader = new TurnReader({
      redis,
      turnId,
      emit(event) {
        // Ends what is still being sent to a reader who has gone.
        signal.throwIfAborted();
        return emit(event);
      },
    });
  }

  /** Whether the reader has been sent the entry, or is being sent it. */
  has(entry: StreamEntry): boolean {
    return this.#reader.has(entry);
  }

  async run(): Promise<Followed> {
    const { readTurn, lastEventId, signal } = this.#options;
    // The subscription comes before PostgreSQL is read, so that every later change is told.
    const isLive = await this.#watch.ready;
    let begun = false;
    while (!signal.aborted) {
      let pause = this.#pollMs();
      if (this.#inbox.takeChanged()) {
        const snapshot = await (begun ? readTurn().catch(() => null) : readTurn());
        if (snapshot?.state === 'refused') return { ended: false, refused: true };
        if (snapshot === null) {
          pause = AWAY_POLL_MAX_MS;
        } else {
          if (!begun) await this.#reader.begin(snapshot, lastEventId);
          // No attempt had written anything yet, and messages say all that follows.
          if (!begun && isLive && snapshot.attempt === 0) this.#inbox.takeStale();
          begun = true;
          this.#reader.observe(snapshot);
          if (hasEnded(snapshot)) {
            if (await this.#reader.finish(snapshot)) return { ended: true, refused: false };
            pause = RACE_MS;
          }
        }
      }
      if (!(await this.#read())) pause = Math.min(pause, AWAY_POLL_MS);
      await this.#inbox.wait(pause);
    }
    return GONE;
  }

  /**
   * Sends what the stream has, then what has arrived.
   * @returns false when the stream could not be read. No message will say when it can.
   */
  async #read(): Promise<boolean> {
    const { signal } = this.#options;
    if (this.#inbox.takeStale() && !(await this.#drain())) return false;
    for (let entry = this.#inbox.next(); entry !== undefined && !signal.aborted; entry = this.#inbox.next()) {
      if (!(await this.#reader.offer(entry))) this.#inbox.missed();
    }
    return true;
  }

  async #drain(): Promise<boolean> {
    try {
      await this.#reader.drain();
      return true;
    } catch (error) {
      if (!(error instanceof RedisAway)) throw error;
      return false;
    }
  }

  #pollMs(): number {
    const { pollMs = POLL_MS, redis } = this.#options;
    if (this.#watch.live && redis.isReady()) {
      this.#awayPollMs = AWAY_POLL_MS;
      return pollMs;
    }
    const now = this.#awayPollMs;
    this.#awayPollMs = Math.min(AWAY_POLL_MAX_MS, now * 1.5);
    return now;
  }
}

function hasEnded<Turn>(snapshot: TurnSnapshot<Turn>): snapshot is EndedSnapshot<Turn> {
  return isEnding(snapshot.state);
}
