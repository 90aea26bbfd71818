import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { isUnavailable } from '../db/driver/availability.ts';

/**
 * Retries while PostgreSQL is away, for at most the attempt's time limit: a model's answer is paid for, so a restart or
 * a failover of the database must not lose it. Temporal counts from the attempt's beginning and cancels it then; our
 * own count ends it where Temporal is away too. Other errors pass at once.
 * @param isOver whether nobody waits for it any more; unless told, when the activity is cancelled.
 */
export async function retryWhileAway<T>(
  work: () => Promise<T>,
  isOver: () => boolean = () => cancellationSignal().aborted,
): Promise<T> {
  const deadline = performance.now() + activityInfo().startToCloseTimeoutMs;
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > deadline || isOver()) throw error;
      await sleep(pauseMs);
    }
  }
}
