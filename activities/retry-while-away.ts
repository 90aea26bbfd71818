import { cancellationSignal, sleep } from '@temporalio/activity';
import { isUnavailable } from '../db/driver/availability.ts';

const LONGEST_MS = 60_000;

/**
 * Retries while PostgreSQL is away, for at most a minute: a model's answer is paid for, so a restart of the database
 * must not lose it. Other errors pass at once.
 */
export async function retryWhileAway<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + LONGEST_MS;
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || Date.now() > deadline || cancellationSignal().aborted) throw error;
      await sleep(pauseMs);
    }
  }
}
