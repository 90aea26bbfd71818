import { z } from 'zod';
import { faultOfSchema } from '../../domain/json-schema.ts';

/** Text that PostgreSQL can store. It may be empty, as OpenAI's may. */
export const chatText = z
  .string()
  .refine((value) => value.isWellFormed(), 'must be well-formed Unicode (a lone surrogate was found)')
  .refine((value) => !value.includes('\0'), 'must not contain NUL');

/** Clients send null for what they leave out. */
export function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

export const functionName = z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -');

/** Whoever says a message: a Korean name, too. */
export const speakerName = chatText.regex(
  /^[^\s<|\\/>]{1,64}$/u,
  'must be 1 to 64 characters without spaces, <, >, |, / and \\',
);

export const callId = chatText.min(1).max(512);

/** A schema in its outlines: what no reader of JSON Schema takes is refused before a model is asked. */
export const jsonSchema = z.record(z.string(), z.unknown()).superRefine((schema, context) => {
  const fault = faultOfSchema(schema);
  if (fault !== null) context.addIssue({ code: 'custom', path: [...fault.path], message: fault.reason });
});

/** Whom a client asks for, in its own words; the older name and the newer one. */
export const whoAsks = {
  user: maybe(chatText).meta({ description: 'Kept as the label of the turn (64 characters), by which usage is shown' }),
  safety_identifier: maybe(chatText).meta({ description: 'As `user`' }),
};

const MOST_LABEL = 64;

export function labelOf({
  user,
  safety_identifier,
}: {
  user?: string | undefined;
  safety_identifier?: string | undefined;
}): string | null {
  const label = (user ?? safety_identifier ?? '').trim();
  return label === '' ? null : [...label].slice(0, MOST_LABEL).join('');
}
