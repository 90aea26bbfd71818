import { AsyncLocalStorage } from 'node:async_hooks';

/** The request, turn and trace that a log line belongs to. Ids only. */
export interface LogFields {
  requestId?: string;
  turnId?: string;
  traceId?: string;
}

const carried = new AsyncLocalStorage<LogFields>();

/**
 * Runs `work` so that every line logged from it, however deep and late, has these fields beside those of the work
 * around it.
 */
export function withLogFields<T>(fields: LogFields, work: () => T): T {
  return carried.run({ ...carried.getStore(), ...fields }, work);
}

/** Adds fields that have become known to the rest of the present work. */
export function addLogFields(fields: LogFields): void {
  const own = carried.getStore();
  if (own !== undefined) Object.assign(own, fields);
}

export function readLogFields(): LogFields {
  return carried.getStore() ?? {};
}
