import { ApiError } from '../api/api-error.ts';

const OPEN = new Set(['offline', 'unavailable', 'provider_unavailable', 'internal']);

/** Whether an error leaves it open what became of the call. The same one is then made again, by the same key. */
export function isOpenOutcome(error: unknown): boolean {
  return error !== null && (!(error instanceof ApiError) || OPEN.has(error.code));
}
