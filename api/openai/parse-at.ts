import type { z } from 'zod';
import { AppError } from '../../domain/errors.ts';

/**
 * Parses a part of a body that may be of several kinds, so that a refusal names the place in its own kind.
 * @param at where the part stands. @throws AppError invalid_request.
 */
export function parseAt<Part>(schema: z.ZodType<Part>, sent: unknown, at: string): Part {
  const parsed = schema.safeParse(sent);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError('invalid_request', {
    field: [at, ...(issue?.path ?? []).map(String)].join('.'),
    reason: issue?.message ?? 'invalid',
  });
}
