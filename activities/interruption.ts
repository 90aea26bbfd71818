import type { TurnFeed } from '../platform/streams/turn-feed.ts';

/**
 * Why a model call is cut short. A stop (the person's, or a cancel in the Temporal UI) settles what has come; the
 * others do not.
 */
export type Cut = 'stop' | 'timeout' | 'lost';

/** Belongs to one model call, from before its attempt opens until its end; the first reason stands. */
export interface Interruption {
  /** Aborts for every reason. */
  readonly signal: AbortSignal;
  why(): Cut | null;
  cut(why: Cut): void;
  close(): void;
}

export function openInterruption(feed: TurnFeed, turnId: string): Interruption {
  const controller = new AbortController();
  let reason: Cut | null = null;
  function cut(why: Cut): void {
    reason ??= why;
    controller.abort();
  }
  // The fast way, a few milliseconds; without Redis the cancel arrives with a heartbeat.
  const watch = feed.watch(turnId, { onChanged: () => {}, onStop: () => cut('stop') });
  return { signal: controller.signal, why: () => reason, cut, close: () => watch.close() };
}
