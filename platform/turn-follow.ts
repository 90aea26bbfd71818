import { isEnding, type EventId, type TurnEvent } from '../domain/stream-events.ts';
import { RedisAway, type Redis } from './redis.ts';
import type { TurnFeed } from './turn-feed.ts';
import { TurnInbox } from './turn-inbox.ts';
import { TurnReader, type EndedSnapshot } from './turn-reader.ts';
import type { TurnSnapshot } from './turn-snapshot.ts';

export interface FollowOptions<Turn = unknown> {
  readonly turnId: string;
  /** What the reader has already (`parseEventId` of its Last-Event-ID), null from the beginning. */
  readonly lastEventId: EventId | null;
  readonly redis: Redis;
  readonly feed: TurnFeed;
  /** Reads PostgreSQL. Its first failure is thrown; later ones are tried again, for the turn goes on. */
  readonly readTurn: () => Promise<TurnSnapshot<Turn>>;
  /** Sends one event; while it has not resolved nothing more is read for this reader. What it throws ends the following. */
  readonly emit: (event: TurnEvent<Turn>) => Promise<void> | void;
  /** The reader has gone. */
  readonly signal: AbortSignal;
  /** Milliseconds between two looks at a turn whose messages arrive (3,000): they only find what a lost message said. */
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

/** Sends one reader a turn's events from where it stands to the one ending, without a gap and without a repeat. Resolves then, or when `signal` aborts. */
export async function followTurn<Turn>(options: FollowOptions<Turn>): Promise<Followed> {
  const { turnId, feed, signal } = options;
  const inbox = new TurnInbox();
  const watch = feed.watch(turnId, { onChanged: () => { inbox.changed(); }, onEntry: (entry) => { inbox.push(entry); } });
  const leave = () => { inbox.close(); };
  signal.addEventListener('abort', leave);
  try {
    // First the subscription, then PostgreSQL: what changes after the reading is told.
    await watch.ready;
    return await new Following(options, inbox, () => watch.live).run();
  } finally {
    signal.removeEventListener('abort', leave);
    watch.close();
    inbox.close();
  }
}

class Following<Turn> {
  readonly #options: FollowOptions<Turn>;
  readonly #inbox: TurnInbox;
  readonly #isLive: () => boolean;
  readonly #reader: TurnReader<Turn>;
  #awayPollMs = AWAY_POLL_MS;

  constructor(options: FollowOptions<Turn>, inbox: TurnInbox, isLive: () => boolean) {
    this.#options = options;
    this.#inbox = inbox;
    this.#isLive = isLive;
    this.#reader = new TurnReader(options);
  }

  async run(): Promise<Followed> {
    const { readTurn, lastEventId, signal } = this.#options;
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
      await this.#read();
      await this.#inbox.wait(pause);
    }
    return { ended: false, refused: false };
  }

  /** What the stream has, then what has arrived. */
  async #read(): Promise<void> {
    const { signal } = this.#options;
    if (this.#inbox.takeStale() && !(await this.#drain())) return;
    for (let entry = this.#inbox.next(); entry !== undefined && !signal.aborted; entry = this.#inbox.next()) {
      if (!(await this.#reader.offer(entry))) this.#inbox.missed();
    }
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
    if (this.#isLive() && redis.isReady()) {
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
