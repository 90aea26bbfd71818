import { isEnding, type EventId, type TurnEvent } from '../../domain/stream-events.ts';
import { RedisAway, type Redis } from '../redis.ts';
import { TurnInbox } from './inbox.ts';
import { TurnReader, type EndedSnapshot, type TurnSnapshot } from './reader.ts';
import type { TurnFeed, TurnWatch } from './turn-feed.ts';

export interface FollowOptions<Turn = unknown> {
  readonly turnId: string;
  /** What the reader has already (`parseEventId` of its Last-Event-ID), null from the beginning. */
  readonly lastEventId: EventId | null;
  readonly redis: Redis;
  readonly feed: TurnFeed;
  /** Reads PostgreSQL. Its first failure is thrown; later ones are tried again, for the turn goes on. */
  readonly readTurn: () => Promise<TurnSnapshot<Turn>>;
  /**
   * Sends one event; while it has not resolved nothing more is read for this reader. What it throws ends the following.
   */
  readonly emit: (event: TurnEvent<Turn>) => Promise<void> | void;
  /** The reader has gone. */
  readonly signal: AbortSignal;
  /**
   * Milliseconds between two looks at a turn whose messages arrive (3,000): they only find what a lost message said.
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
/** Without messages: quick at first, because most outages are short. */
const AWAY_POLL_MS = 250;
const AWAY_POLL_MAX_MS = 1_000;
/** PostgreSQL was read just before a newer attempt opened: it is there when asked again. */
const RACE_MS = 25;

const GONE: Followed = { ended: false, refused: false };

/**
 * Sends one reader a turn's events from where it stands to the one ending, without a gap and without a repeat. Resolves
 * then, or as soon as `signal` aborts, whatever `emit` or `readTurn` is waiting for; after that nothing is emitted.
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
  const watch = feed.watch(turnId, {
    onChanged: () => {
      inbox.changed();
    },
    onEntry: (entry) => {
      inbox.push(entry);
    },
  });
  try {
    return await Promise.race([new Following(options, inbox, watch).run(), gone]);
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
        // Ends what still runs for a reader who has gone.
        signal.throwIfAborted();
        return emit(event);
      },
    });
  }

  async run(): Promise<Followed> {
    const { readTurn, lastEventId, signal } = this.#options;
    // First the subscription, then PostgreSQL: what changes after the reading is told.
    await this.#watch.ready;
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
   * What the stream has, then what has arrived.
   * @returns false when the stream could not be read: nothing will say when it can.
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
