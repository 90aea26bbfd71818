import { Context } from '@temporalio/activity';
import { HEARTBEAT_TIMEOUT_MS } from '../domain/attempt-limits.ts';

/** By timer: an activity that waits for a model, an account or Temporal must not look like a dead worker (G28). */
export async function heartbeating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_TIMEOUT_MS / 4);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
