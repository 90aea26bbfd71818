import { AppError } from '../domain/errors.ts';

/** Lets in what can be finished (architecture.md, Overload). */
export interface OverloadGate {
  /** Before a new run is written. @throws AppError overloaded. */
  enter(): Promise<void>;
  /** Live turns at which it refuses now. */
  bound(): number;
}

/** How old the count of live turns may be: at 60 turns a second it is off by 15 at most, and those are counted here. */
const FRESH_MS = 250;

/**
 * @param options.countLive accepted and running turns of all processes.
 * @param options.limit past it a new turn waits longer than a person does; what is admitted keeps its latency.
 */
export function createOverloadGate(options: { countLive: () => Promise<number>; limit: number; now: () => number }): OverloadGate {
  let live = 0;
  let countedAt = -Infinity;
  let counting: Promise<void> | null = null;
  const count = async () => {
    try {
      live = await options.countLive();
      countedAt = options.now();
    } finally {
      counting = null;
    }
  };
  return {
    async enter() {
      if (options.now() - countedAt > FRESH_MS) await (counting ??= count());
      if (live >= options.limit) throw new AppError('overloaded', { retryAfter: 2 });
      live += 1;
    },
    bound: () => options.limit,
  };
}
