import { z } from 'zod';

/** Any UUID that PostgreSQL accepts, whatever its version. It becomes lower case, so that a turn has one spelling. */
export const uuid = z.guid().toLowerCase();

export const instant = z.iso
  .datetime()
  .meta({ description: 'An instant in UTC, ISO 8601', example: '2026-11-30T15:00:00.000Z' });

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
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().min(1).max(1_000).optional().meta({ description: '`nextCursor` of the page before' }),
};

export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'null on the last page' }),
  });
}

/**
 * Refuses text that PostgreSQL cannot store (NUL, lone surrogates). Lengths are counted in code points, as people
 * count.
 */
export function text(most: number) {
  return z
    .string()
    .meta({ override: { minLength: 1, maxLength: most, pattern: '\\S' } })
    .refine((value) => value.isWellFormed(), 'must be well-formed Unicode (a lone surrogate was found)')
    .refine((value) => !value.includes('\0'), 'must not contain NUL')
    .transform((value) => value.trim())
    .refine((value) => value !== '', 'must not be empty')
    .refine(
      (value) => value.length <= most || [...value].length <= most,
      `must have at most ${most.toLocaleString('en-US')} characters`,
    );
}
