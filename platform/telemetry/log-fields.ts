import { AsyncLocalStorage } from 'node:async_hooks';

/** Which request, turn and trace a log line belongs to. Ids only. */
export interface LogFields {
  requestId?: string;
  turnId?: string;
  traceId?: string;
}

const carried = new AsyncLocalStorage<LogFields>();

/**
 * Every line that is logged from `work`, however deep and late, carries these fields beside those of the work around
 * it.
 */
export function withLogFields<T>(fields: LogFields, work: () => T): T {
  return carried.run({ ...carried.getStore(), ...fields }, work);
}

/** What becomes known on the way, for the rest of the present work. */
export function addLogFields(fields: LogFields): void {
  const own = carried.getStore();
  if (own !== undefined) Object.assign(own, fields);
}

export function readLogFields(): LogFields {
  return carried.getStore() ?? {};
}
