import { AppError } from '../../domain/errors.ts';

/** Lets in what can be finished (docs/architecture/turn.md, Overload). */
export interface OverloadGate {
  /** One request that may have to run a turn. */
  arrive(): Arrival;
  /** Live turns of all processes at which it refuses. */
  bound(): number;
  /**
   * Turns of this process that wait for the decision about their hold, and how many may: measured, so it follows the
   * machine.
   */
  starting(): { readonly now: number; readonly bound: number };
}

export interface Arrival {
  /** Before a new run is written; twice is once. @throws AppError overloaded. */
  enter(): Promise<void>;
  /** Its hold is made or refused: how long that took is what the next ones may expect. */
  decided(): void;
  /** It is over, however. */
  leave(): void;
}

/** How old the count of live turns may be: at 60 turns a second it is off by 15 at most, and those are counted here. */
const FRESH_MS = 250;
/** Who is let in last waits so long for its hold; the first delta then comes within 1.5 s, if the model is quick. */
const WAIT_MS = 1_000;
/** Before anything is measured, and whatever is. */
const FIRST_BOUND = 128;
const LEAST_BOUND = 48;
/** Turns that start alone say how long a turn takes, not how many a second this machine can start. */
const FEW = 4;
const SMOOTHING = 0.1;

/**
 * Refuses a new turn at once when it would wait too long: `limit` bounds the turns of all processes, and by Little's
 * law what this process starts in `WAIT_MS` bounds those that start. A slow model holds up neither: only the time until
 * the hold is measured.
 * @param options.countLive accepted and running turns of all processes. @param options.now milliseconds.
 */
export function createOverloadGate(options: {
  countLive: () => Promise<number>;
  limit: number;
  now: () => number;
}): OverloadGate {
  const { limit, now } = options;
  let live = 0;
  let countedAt = -Infinity;
  let counting: Promise<void> | null = null;
  let starting = 0;
  let startedPerMs = FIRST_BOUND / WAIT_MS;
  const startingBound = () => Math.min(limit, Math.max(LEAST_BOUND, Math.round(startedPerMs * WAIT_MS)));
  const count = async () => {
    try {
      live = await options.countLive();
      countedAt = now();
    } finally {
      counting = null;
    }
  };
  const measure = (among: number, ms: number) => {
    if (among >= FEW) startedPerMs += (among / Math.max(1, ms) - startedPerMs) * SMOOTHING;
  };
  return {
    arrive() {
      let entered: { among: number; at: number } | null = null;
      const leave = () => {
        if (entered !== null) starting -= 1;
        entered = null;
      };
      return {
        async enter() {
          if (entered !== null) return;
          if (now() - countedAt > FRESH_MS) await (counting ??= count());
          if (live >= limit || starting >= startingBound()) throw new AppError('overloaded', { retryAfter: 2 });
          live += 1;
          starting += 1;
          entered = { among: starting, at: now() };
        },
        decided() {
          if (entered !== null) measure(entered.among, now() - entered.at);
          leave();
        },
        leave,
      };
    },
    bound: () => limit,
    starting: () => ({ now: starting, bound: startingBound() }),
  };
}
