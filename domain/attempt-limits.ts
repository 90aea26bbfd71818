export const LONGEST_ATTEMPT_MS = 30 * 60_000;

/**
 * How long one model call may take in all: 60 s + 1 s per 10 output tokens allowed, at most 30 minutes
 * (docs/architecture/turn.md, Retries).
 */
export function attemptTimeoutMs(outputLimit: number): number {
  return Math.min(60_000 + outputLimit * 100, LONGEST_ATTEMPT_MS);
}

/** All attempts of one run together. */
export function attemptsTimeoutMs(outputLimit: number): number {
  return attemptTimeoutMs(outputLimit) + 5 * 60_000;
}

/** How long the tokens stay set aside from the moment an attempt opens. */
export function holdTimeoutMs(outputLimit: number): number {
  return attemptTimeoutMs(outputLimit) + 2 * 60_000;
}

/**
 * Of a call of the model and a step of a redrive: whose worker says nothing for so long is dead, and another begins
 * anew (G28).
 */
export const HEARTBEAT_TIMEOUT_MS = 10_000;

/**
 * Model calls of one run: counted by PostgreSQL, because Temporal also counts what it gave to a worker that was gone.
 */
export const ATTEMPTS_PER_RUN = 4;
/**
 * How long a provider may say nothing, unless the configuration says otherwise. Until its first text, every chunk
 * begins `firstByteMs` anew: a reasoning model opens its stream with an empty chunk, or sends its thoughts, long before
 * it answers. Text comes token by token, so once it has begun, `betweenMs` of silence is a stall. Thinking aloud for
 * longer is bounded by the attempt's own limit.
 */
export const STALL_LIMITS = { firstByteMs: 60_000, betweenMs: 30_000 } as const;
