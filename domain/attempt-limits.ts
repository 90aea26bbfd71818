export const LONGEST_ATTEMPT_MS = 30 * 60_000;

/**
 * The time limit of one model call: 60 s + 1 s per 10 output tokens allowed, at most 30 minutes
 * (docs/architecture/turn.md, Retries).
 */
export function attemptTimeoutMs(outputLimit: number): number {
  return Math.min(60_000 + outputLimit * 100, LONGEST_ATTEMPT_MS);
}

/** The time limit of all attempts of one run together. */
export function attemptsTimeoutMs(outputLimit: number): number {
  return attemptTimeoutMs(outputLimit) + 5 * 60_000;
}

/**
 * A live turn that nothing has touched for so long is beyond every limit of its run, with some minutes for workers that
 * were away: a workflow that is open then cannot move.
 */
export function turnTimeoutMs(outputLimit: number): number {
  return attemptsTimeoutMs(outputLimit) + 5 * 60_000;
}

/** How much longer than an attempt may take its tokens stay set aside. */
export const HOLD_OUTLIVES_MS = 2 * 60_000;

/** How long the tokens stay set aside from the moment an attempt opens. */
export function holdTimeoutMs(outputLimit: number): number {
  return attemptTimeoutMs(outputLimit) + HOLD_OUTLIVES_MS;
}

/**
 * A worker that sends no heartbeat for so long is taken for dead, and another begins anew (G28). The limit holds for
 * model calls and for steps of a redrive.
 */
export const HEARTBEAT_TIMEOUT_MS = 10_000;

/**
 * Model calls of one run. PostgreSQL counts them, because Temporal also counts attempts that it gave to a worker that
 * was gone.
 */
export const ATTEMPTS_PER_RUN = 4;
/**
 * How long a provider may be silent, unless the configuration says otherwise. Until its first text, every chunk begins
 * `firstByteMs` anew: a reasoning model opens its stream with an empty chunk, or sends its thoughts, long before it
 * answers. Text comes token by token, so once it has begun, `betweenMs` of silence is a stall. A model that thinks for
 * longer is bounded by the attempt's own limit.
 */
export const STALL_LIMITS = { firstByteMs: 60_000, betweenMs: 30_000 } as const;
