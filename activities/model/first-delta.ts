import type { OpenedAttempt } from '../../db/turns/attempts.ts';
import type { ChoiceDelta } from '../../domain/choice.ts';
import type { ActivityDeps } from '../deps.ts';
import type { Delivery } from '../openai/ask.ts';

export interface TimedDelivery extends Pick<Delivery, 'delta'> {
  /**
   * Milliseconds from the admission of the run until the first delta, its earlier calls included; null before it, and
   * where this process's clock is wrong.
   */
  readonly firstMs: number | null;
}

/** No run waits longer for a call: a clock that says so is wrong. */
const LONGEST_WAIT_MS = 3_600_000;

/** Times the first delta. In the figures `start` is from the hold of a run's first call until now, `model` from now. */
export function timeFirstDelta(
  { metrics }: Pick<ActivityDeps, 'metrics'>,
  { turn, restarted }: OpenedAttempt,
  onDelta: Delivery['delta'],
): TimedDelivery {
  const calledAt = performance.now();
  // PostgreSQL's clock against ours: milliseconds between machines that keep time.
  const waitedMs = turn.admittedAt === null ? 0 : Math.max(0, Date.now() - turn.admittedAt);
  if (restarted !== 'retry' && turn.admittedAt !== null) metrics.firstDeltaPart('start', waitedMs / 1_000);
  let hasCome = false;
  let firstMs: number | null = null;
  return {
    get firstMs() {
      return firstMs;
    },
    delta(text: string, delta: ChoiceDelta) {
      if (!hasCome) {
        hasCome = true;
        const sinceCall = performance.now() - calledAt;
        metrics.firstDeltaPart('model', sinceCall / 1_000);
        if (waitedMs < LONGEST_WAIT_MS) firstMs = Math.round(waitedMs + sinceCall);
      }
      onDelta(text, delta);
    },
  };
}
