/**
 * What shows nothing at all: space of any kind, control characters, what fonts are told to ignore (zero-width and
 * direction characters, Hangul fillers, variation selectors), the marks of interlinear notes, and the empty Braille
 * pattern.
 */
const INVISIBLE = String.raw`\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\u{FFF9}-\u{FFFB}\u{2800}`;
export const VISIBLE = new RegExp(`[^${INVISIBLE}]`, 'u');

/** Whether a reader would see nothing of it (policy 12). Messages, titles and reasons of that kind are empty. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}

const HEAP_OF_MARKS = /\p{M}{65}/u;

/**
 * Whether more than 64 marks stand on one character. Bringing a run of them into Unicode's order takes the square of
 * its length: 100,000 held a process up for 7 s.
 */
export function hasHeapOfMarks(text: string): boolean {
  return HEAP_OF_MARKS.test(text);
}

/** The most code points of a reason that the audit log keeps. */
export const MOST_REASON = 500;

/** Whether it is a reason as the audit log keeps them: 1 to 500 code points, of which something is seen. */
export function isReason(text: string): boolean {
  return !isBlank(text) && !isLongerThan(text, MOST_REASON);
}

/** @param most code points, as people count. */
export function isLongerThan(text: string, most: number): boolean {
  return text.length > most && [...text].length > most;
}

/** An id as every place writes it: decimal, without sign, exponent or leading zero. At most 2^53 - 1. */
export const DECIMAL_ID = /^[1-9]\d{0,15}$/;

/** @returns the id that a path, a query, or a command's argument names; null for any other spelling. */
export function parseId(text: string): number | null {
  const id = Number(text);
  return DECIMAL_ID.test(text) && Number.isSafeInteger(id) ? id : null;
}
