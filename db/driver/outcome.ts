import { isUnavailable } from './availability.ts';

/**
 * A write was sent and nothing says whether it was done: its COMMIT may stand without an answer (G35). It counts as
 * unavailable, by its cause.
 */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
  /** Of what it writes, if it does; chosen before, so that it can be looked up. */
  readonly ids: Readonly<Record<string, string>>;

  constructor(cause: unknown, ids: Readonly<Record<string, string>> = {}) {
    super('whether a write was done is not known', { cause });
    this.ids = ids;
  }
}

// With these the server has answered: the statement waited too long (for a lock too), or may not write, and is undone.
const UNDONE = /^(57014|55P03|25)/;

/** What a write that was sent is to fail with. */
export function failureOfSent(error: unknown): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return isUnavailable(error) && !UNDONE.test(code) ? new OutcomeUnknown(error) : error;
}

/** Runs a write and says, should its outcome be unknown, what it may have written. */
export async function naming<T>(ids: Readonly<Record<string, string>>, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw error instanceof OutcomeUnknown ? new OutcomeUnknown(error.cause, ids) : error;
  }
}
