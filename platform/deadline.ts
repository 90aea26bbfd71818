/** Nothing came in time. What was asked for may still happen. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';

  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`);
  }
}

/** For a `catch` that ignores lateness. @throws every other error. */
export function ignoreLateness(error: unknown): void {
  if (!(error instanceof DeadlinePassed)) throw error;
}

/**
 * Limits the wait for `work`, because connections retry by themselves for longer than anybody waits.
 * @throws DeadlinePassed, or as `work` does.
 */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // The rejection waits one more turn of the loop: after a stall of our own, an answer that has come is read first.
    timer = setTimeout(() => setImmediate(() => reject(new DeadlinePassed(milliseconds))), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
