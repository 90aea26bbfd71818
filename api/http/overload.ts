import { AppError } from '../../domain/errors.ts';

/** Lets in only turns that can be finished in time (docs/architecture/turn.md, Overload). */
export interface OverloadGate {
  /** Announces one request of an account that may have to run a turn. */
  arrive(accountId: number): Arrival;
  /** The number of live turns of all processes at which it refuses. */
  bound(): number;
  /**
   * How many turns of this process wait for the decision about their hold, and how many may. The bound is measured, so
   * it follows the machine.
   */
  starting(): { readonly now: number; readonly bound: number };
}

export interface Arrival {
  /**
   * Called before anything is read for the request: refuses, as `enter` would, by what is known now. Hundreds that are
   * refused at once would else keep those who are in waiting, each with its statements.
   * @throws AppError overloaded; rate_limited.
   */
  look(): void;
  /**
   * Called before a new run is written. Calling it again changes nothing.
   * @throws AppError overloaded; rate_limited when the account has its share of the places, and there are more.
   */
  enter(): Promise<void>;
  /** The turn's hold is made or refused. How long that took is what the next turns may expect. */
  decided(): void;
  /** The request is over, however it ended. */
  leave(): void;
}

/**
 * How old the count of live turns may be. At 60 turns a second it is off by 15 at most, and this process counts its
 * own.
 */
const FRESH_MS = 250;
/**
 * The longest that the last turn let in waits for its hold. Its first delta then comes within 1.5 s, if the model is
 * quick.
 */
const WAIT_MS = 1_000;
/** The bound before anything is measured, and the lowest bound. */
const FIRST_BOUND = 128;
const LEAST_BOUND = 48;
/** Turns that start alone show how long a start takes, not how many starts a second this machine can do. */
const FEW = 4;
const SMOOTHING = 0.1;

/**
 * An account takes no more of the live turns than it leaves free: alone it has half of them, beside another busy one a
 * third, with nine a tenth each. So there is room for whoever comes next, however many others are greedy (a dynamic
 * threshold, as switches share their buffers).
 */
const LIVE_SHARE = 1;
/** Of the places to start, which are free again within a second, an account alone may have three quarters. */
const STARTING_SHARE = 3;

/**
 * Refuses a new turn at once when it would wait too long. `limit` bounds the live turns of all processes. The turns
 * that start in this process are bounded by how many it starts within `WAIT_MS` (Little's law). Only the time until the
 * hold is measured, so a slow model delays neither.
 * @param options.countLive accepted and running turns of all processes, by account. @param options.now milliseconds.
 */
export function createOverloadGate(options: {
  countLive: () => Promise<ReadonlyMap<number, number>>;
  limit: number;
  now: () => number;
}): OverloadGate {
  const { limit, now } = options;
  let live = new Tally();
  let countedAt = -Infinity;
  let counting: Promise<void> | null = null;
  const starting = new Tally();
  let startedPerMs = FIRST_BOUND / WAIT_MS;
  const startingBound = () => Math.min(limit, Math.max(LEAST_BOUND, Math.round(startedPerMs * WAIT_MS)));
  const count = async () => {
    try {
      live = new Tally(await options.countLive());
      countedAt = now();
    } finally {
      counting = null;
    }
  };
  const measure = (among: number, ms: number) => {
    if (among >= FEW) startedPerMs += (among / Math.max(1, ms) - startedPerMs) * SMOOTHING;
  };
  return {
    arrive(accountId) {
      let entered: { among: number; at: number } | null = null;
      const leave = () => {
        if (entered !== null) starting.add(accountId, -1);
        entered = null;
      };
      const look = () => {
        const bound = startingBound();
        if (live.all >= limit || starting.all >= bound) throw new AppError('overloaded', { retryAfter: 2 });
        if (
          live.of(accountId) >= LIVE_SHARE * (limit - live.all) ||
          starting.of(accountId) >= STARTING_SHARE * (bound - starting.all)
        )
          throw new AppError('rate_limited', { retryAfter: 2 });
      };
      return {
        look() {
          // What has been counted long ago says nothing of now.
          if (now() - countedAt <= FRESH_MS) look();
        },
        async enter() {
          if (entered !== null) return;
          if (now() - countedAt > FRESH_MS) await (counting ??= count());
          look();
          live.add(accountId, 1);
          starting.add(accountId, 1);
          entered = { among: starting.all, at: now() };
        },
        decided() {
          if (entered !== null) measure(entered.among, now() - entered.at);
          leave();
        },
        leave,
      };
    },
    bound: () => limit,
    starting: () => ({ now: starting.all, bound: startingBound() }),
  };
}

/** Counts of accounts, and of all of them together. */
class Tally {
  readonly #counts: Map<number, number>;
  all: number;

  constructor(counts: ReadonlyMap<number, number> = new Map()) {
    this.#counts = new Map(counts);
    this.all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  }

  of(accountId: number): number {
    return this.#counts.get(accountId) ?? 0;
  }

  add(accountId: number, by: 1 | -1): void {
    const count = this.of(accountId) + by;
    if (count === 0) this.#counts.delete(accountId);
    else this.#counts.set(accountId, count);
    this.all += by;
  }
}
