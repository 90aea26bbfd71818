import { Context } from '@temporalio/activity';
import type { TurnFeed } from '../platform/streams/turn-feed.ts';

/**
 * Why a model call is cut short. Stop (the person's, or a cancel in the Temporal UI) settles what has come; the others
 * do not.
 */
export interface Interruption {
  /** Aborts on any of them. */
  readonly signal: AbortSignal;
  why(): 'stop' | 'lost' | null;
  close(): void;
}

export function watchInterruption(feed: TurnFeed, turnId: string): Interruption {
  const context = Context.current();
  const stopped = new AbortController();
  // The fast way, a few milliseconds; without Redis the cancel arrives with a heartbeat.
  const watch = feed.watch(turnId, { onChanged: () => {}, onStop: () => stopped.abort() });
  return {
    signal: AbortSignal.any([stopped.signal, context.cancellationSignal]),
    why() {
      if (stopped.signal.aborted) return 'stop';
      if (!context.cancellationSignal.aborted) return null;
      // Shutdown, a timeout or a workflow that is gone abort the same signal, but nobody asked for an end.
      return context.cancellationDetails?.cancelRequested === true ? 'stop' : 'lost';
    },
    close: () => watch.close(),
  };
}
