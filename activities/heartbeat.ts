import { Context } from '@temporalio/activity';

/** By timer and from the first moment: an activity that waits for a model, an account or Temporal must not look like a dead worker (G28). */
export async function heartbeating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 2_500);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
