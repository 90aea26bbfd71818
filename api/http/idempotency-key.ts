import { AppError } from '../../domain/errors.ts';
import type { Caller } from '../context.ts';

/** @throws AppError invalid_request for a malformed key. @returns null without one. */
export function readIdempotencyKey({ request }: Caller): string | null {
  const key = request.get('idempotency-key');
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new AppError('invalid_request', {
      field: 'Idempotency-Key',
      reason: 'must be 1 to 255 visible ASCII characters',
    });
  return key;
}

/** For calls that a repeated request must never make twice. @throws AppError invalid_request without a key. */
export function getIdempotencyKey(caller: Caller): string {
  const key = readIdempotencyKey(caller);
  if (key === null)
    throw new AppError('invalid_request', {
      field: 'Idempotency-Key',
      reason: 'is missing: send the same one with each repetition of this request',
    });
  return key;
}
