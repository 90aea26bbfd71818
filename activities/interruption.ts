import { Context } from '@temporalio/activity';
import type { TurnFeed } from '../platform/streams/turn-feed.ts';

/**
 * Why a model call is cut short. A stop (by the person, or by a cancel in the Temporal UI) settles the text that has
 * come. Anything else (`lost`) does not.
 */
export interface Interruption {
  /** Aborts for every reason. */
  readonly signal: AbortSignal;
  why(): 'stop' | 'lost' | null;
  close(): void;
}

export function watchInterruption(feed: TurnFeed, turnId: string): Interruption {
  const context = Context.current();
  const stopped = new AbortController();
  // The feed brings a stop within a few milliseconds. Without Redis it arrives with a heartbeat, as a cancel.
  const watch = feed.watch(turnId, { onChanged: () => {}, onStop: () => stopped.abort() });
  return {
    signal: AbortSignal.any([stopped.signal, context.cancellationSignal]),
    why() {
      if (stopped.signal.aborted) return 'stop';
      if (!context.cancellationSignal.aborted) return null;
      // Shutdown, a timeout and a closed workflow abort the same signal, but nobody asked for a stop.
      return context.cancellationDetails?.cancelRequested === true ? 'stop' : 'lost';
    },
    close: () => watch.close(),
  };
}
