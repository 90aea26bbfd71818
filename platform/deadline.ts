/** Nothing came in time; what was asked for may still happen. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';

  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`);
  }
}

/** For a `catch` that minds only what went wrong, and not that it took too long. @throws everything else. */
export function ifLate(error: unknown): void {
  if (!(error instanceof DeadlinePassed)) throw error;
}

/**
 * What `work` brings, if it comes in time: connections retry by themselves for longer than anybody waits.
 * @throws DeadlinePassed, or as `work` does.
 */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // One more turn of the loop: after a stall of our own, an answer that has come is read before it is called late.
    timer = setTimeout(() => setImmediate(() => reject(new DeadlinePassed(milliseconds))), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
