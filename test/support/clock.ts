import { AsyncLocalStorage } from 'node:async_hooks';

const instants = new AsyncLocalStorage<number>();

/**
 * Runs `work` at an instant, in milliseconds, on what was opened with a `clockFrom`; undefined: at whatever time it is.
 */
export function atInstant<T>(instant: number | undefined, work: () => T): T {
  return instant === undefined ? work() : instants.run(instant, work);
}

/** A clock for `now`: the instant of the `atInstant` around the caller, else `otherwise`. */
export function clockFrom(otherwise: () => number): () => number {
  return () => instants.getStore() ?? otherwise();
}
