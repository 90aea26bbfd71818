import { Context } from '@temporalio/activity';
import { HEARTBEAT_TIMEOUT_MS } from '../domain/attempt-limits.ts';

/**
 * Heartbeats come from a timer, so that an activity that waits for a model, an account or Temporal is not taken for a
 * dead worker (G28).
 */
export async function heartbeating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_TIMEOUT_MS / 4);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
