import { z } from 'zod';
import { DECIMAL_ID, hasHeapOfMarks, isBlank, isLongerThan, parseId } from '../../domain/text.ts';

/** Any UUID that PostgreSQL accepts, whatever its version. It becomes lower case, so that a turn has one spelling. */
export const uuid = z.guid().toLowerCase();

/** An id in a path or a query, where everything is text. */
export const idText = z
  .string()
  .regex(DECIMAL_ID, 'must be an id: digits without sign, exponent or leading zero')
  .transform((text) => parseId(text) ?? NaN)
  .pipe(z.int())
  .meta({ override: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } });

export const instant = z.iso
  .datetime()
  .meta({ description: 'An instant in UTC, ISO 8601', example: '2026-11-30T15:00:00.000Z' });

/** A day of a report. PostgreSQL's calendar has days that JavaScript's has not, and the other way round. */
export const day = z.iso
  .date()
  .regex(/^2\d{3}-/, 'must be a day of the years 2000 to 2999')
  .meta({ override: { format: 'date' }, example: '2026-11-30' });

export const lookAlikes = z.array(z.string()).meta({
  description:
    'Characters of the e-mail that may be taken for others, each with its code point: the address may not be what it seems',
  example: ['\u0430 U+0430'],
});

/** The largest `integer` of PostgreSQL, for numbers that are stored as they were asked. */
export const MOST_INTEGER = 2_147_483_647;

export const tokens = z.int().min(0).meta({ description: 'Metered tokens' });

const MAX_MESSAGE = 32_000;
const MAX_TITLE = 200;

export const message = text(MAX_MESSAGE).meta({
  description: 'The question; 1 to 32,000 code points after trimming',
  example: '안녕하세요',
});
export const title = text(MAX_TITLE).meta({
  description: 'Title of a conversation; 1 to 200 code points after trimming',
});

export const pageQuery = {
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'must be a whole number from 1 to 100')
    .transform(Number)
    .default(50)
    .meta({ override: { type: 'integer', minimum: 1, maximum: 100, default: 50 } }),
  cursor: z.string().min(1).max(1_000).optional().meta({ description: '`nextCursor` of the page before' }),
};

export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'null on the last page' }),
  });
}

/**
 * Text in Unicode's form NFC, in which a syllable that a Mac wrote as its letters is one code point (policy 12).
 * Refuses text that PostgreSQL cannot store (NUL, lone surrogates), and text that shows nothing. Lengths are counted in
 * code points, as people count.
 */
export function text(most: number) {
  return z
    .string()
    .meta({ override: { minLength: 1, maxLength: most, pattern: '\\S' } })
    .refine((value) => value.isWellFormed(), 'must be well-formed Unicode (a lone surrogate was found)')
    .refine((value) => !value.includes('\0'), 'must not contain NUL')
    .refine((value) => !hasHeapOfMarks(value), 'must not have more than 64 marks on one character')
    .transform((value) => value.normalize('NFC').trim())
    .refine((value) => !isBlank(value), 'must not be empty, or of characters alone that nobody sees')
    .refine((value) => !isLongerThan(value, most), `must have at most ${most.toLocaleString('en-US')} characters`);
}
