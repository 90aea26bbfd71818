import { monitorEventLoopDelay } from 'node:perf_hooks';

/** A look every 20 ms costs an idle process nothing that is seen, and misses at most so much of a pause. */
const RESOLUTION_MS = 20;
const WINDOW_MS = 10_000;
const WINDOWS = 6;

/**
 * Watches for pauses of the event loop, in which this process answers nobody.
 * @returns a function that tells the longest of the last minute, in seconds.
 */
export function watchLoopPauses(): () => number {
  const pauses = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  pauses.enable();
  const longestOf: number[] = [];
  const longest = () => Math.max(0, pauses.max / 1e6 - RESOLUTION_MS);
  setInterval(() => {
    longestOf.push(longest());
    if (longestOf.length > WINDOWS - 1) longestOf.shift();
    pauses.reset();
  }, WINDOW_MS).unref();
  return () => Math.max(longest(), ...longestOf) / 1_000;
}
