import type { z } from 'zod';
import { AppError } from '../../domain/errors.ts';

/** What is done with the parameters of a body that its schema does not read. */
interface Unread {
  /** They change neither the answer nor its price. */
  readonly ignored: ReadonlySet<string>;
  /** Values, as JSON, that say what is done anyway. */
  readonly harmless: ReadonlyMap<string, readonly string[]>;
  /** What to do in place of others. */
  readonly instead?: ReadonlyMap<string, string>;
}

/**
 * @param read has the names that the schema reads.
 * @throws AppError unsupported_parameter, which names it: a parameter that is dropped silently misleads.
 */
export function assertSupported(body: object, read: object, { ignored, harmless, instead }: Unread): void {
  for (const [name, value] of Object.entries(body)) {
    if (value == null || Object.hasOwn(read, name) || ignored.has(name)) continue;
    if (harmless.get(name)?.includes(JSON.stringify(value)) === true) continue;
    throw unsupported(name, instead?.get(name) ?? 'is not supported here');
  }
}

export function unsupported(field: string, reason: string): AppError {
  return new AppError('unsupported_parameter', { field, reason });
}

export function invalid(field: string, reason: string): AppError {
  return new AppError('invalid_request', { field, reason });
}

/**
 * Parses a part of a body that may be of several kinds, so that a refusal names the place in its own kind.
 * @param at where the part stands. @throws AppError invalid_request.
 */
export function parseAt<Part>(schema: z.ZodType<Part>, sent: unknown, at: string): Part {
  const parsed = schema.safeParse(sent);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid([at, ...(issue?.path ?? []).map(String)].join('.'), issue?.message ?? 'invalid');
}
