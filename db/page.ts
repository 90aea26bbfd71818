import { AppError } from '../domain/errors.ts';

/** Where a page ends. A cursor is opaque to clients and two ordered parts to us. */
export function encodeCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws AppError invalid_request for anything that is not a cursor of ours. */
export function decodeCursor<const Kinds extends readonly ('string' | 'number')[]>(
  cursor: string,
  kinds: Kinds,
): PartsOf<Kinds> {
  const parts = parse(cursor);
  if (!areOf(kinds, parts)) throw badCursor();
  return parts;
}

type PartsOf<Kinds> = { [I in keyof Kinds]: Kinds[I] extends 'string' ? string : number };

function areOf<Kinds extends readonly ('string' | 'number')[]>(kinds: Kinds, parts: unknown): parts is PartsOf<Kinds> {
  return Array.isArray(parts) && parts.length === kinds.length && parts.every((part, i) => isOfKind(part, kinds[i]));
}

/** A number in a cursor is an id or a place in a list, so it is a safe integer. */
function isOfKind(part: unknown, kind: 'string' | 'number' | undefined): boolean {
  return typeof part === kind && (kind === 'string' || Number.isSafeInteger(part));
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (cause) {
    throw badCursor(cause);
  }
}

/**
 * Used as `catch` of a query with a cursor. A cursor of the right form can still hold something that is no date, uuid
 * or integer, which PostgreSQL refuses with class 22, "data exception".
 */
export function rethrowBadCursor(error: unknown): never {
  if (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('22')
  )
    throw badCursor(error);
  throw error;
}

function badCursor(cause?: unknown): AppError {
  return new AppError('invalid_request', { field: 'cursor', reason: 'not a cursor of this list' }, { cause });
}

export interface Page<Item> {
  readonly items: Item[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** Builds a page from a query that asked for one row more than `limit`: that row tells whether another page follows. */
export function pageOf<Row>(rows: Row[], limit: number, cursorOf: (row: Row) => string): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
