import { setTimeout as sleep } from 'node:timers/promises';
import { isUnavailable } from '../db/driver/availability.ts';
import { OutcomeUnknown } from '../db/driver/outcome.ts';
import { ignoreLateness, within } from '../platform/deadline.ts';

/** A restart of PostgreSQL takes some seconds; whoever asked does not wait much longer. */
const LOOKED_UP_FOR_MS = 5_000;

/**
 * Runs a write. When nobody knows whether it was done, what it may have made is looked up for some seconds (G35).
 * @param find what it made, by the ids that it named; null: not there, or not yet.
 * @throws as `write`, OutcomeUnknown too: the API answers that as bound.
 */
export async function writeOrFind<T>(
  write: () => Promise<T>,
  find: (ids: Readonly<Record<string, string>>) => Promise<T | null>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    const found = await lookUp(() => find(error.ids));
    if (found === null) throw error;
    return found;
  }
}

async function lookUp<T>(find: () => Promise<T | null>): Promise<T | null> {
  const deadline = Date.now() + LOOKED_UP_FOR_MS;
  for (let pauseMs = 50; Date.now() < deadline; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    const found = await within(deadline - Date.now(), find()).catch((error: unknown) => {
      if (!isUnavailable(error)) ignoreLateness(error);
      return null;
    });
    if (found !== null) return found;
    await sleep(pauseMs);
  }
  return null;
}
