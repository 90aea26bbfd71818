import { z } from 'zod';
import { MOST_INSTRUCTIONS_TOKENS } from '../../domain/own-instructions.ts';
import { isBlank, isLongerThan } from '../../domain/text.ts';
import { instant, MOST_INTEGER } from './fields.ts';

/** 300 tokens never have more: the longest tokens are runs of spaces, which are cut off at the ends. */
const MOST_CHARACTERS = 4_000;

const text = z
  .string()
  .meta({
    override: { maxLength: MOST_CHARACTERS },
    description: `At most ${MOST_INSTRUCTIONS_TOKENS} tokens, and ${MOST_CHARACTERS.toLocaleString('en-US')} code points; empty, or of nothing that is seen: none`,
    example: '짧게, 존댓말로 답해 주세요.',
  })
  .refine((value) => value.isWellFormed(), 'must be well-formed Unicode (a lone surrogate was found)')
  .refine((value) => !value.includes('\0'), 'must not contain NUL')
  .transform((value) => value.normalize('NFC').trim())
  .refine((value) => !isLongerThan(value, MOST_CHARACTERS), `must have at most ${MOST_CHARACTERS} characters`)
  .transform((value) => (isBlank(value) ? '' : value));

const version = z.int().min(0).meta({ description: 'Grows with each change; 0: none were ever written' });
const counted = {
  tokens: z.int().min(0).meta({ description: 'As the models on offer count them, by the one that counts most' }),
  mostTokens: z.int().min(1),
};

export const instructionsBody = z
  .strictObject({
    text,
    version: version.max(MOST_INTEGER).optional().meta({
      description: 'The version that you have read: if another was written since, 409 `version_conflict` says which',
    }),
  })
  .meta({ id: 'WriteInstructions' });

export const instructions = z
  .object({ text: z.string(), ...counted, version, updatedAt: instant.nullable() })
  .meta({ id: 'Instructions', description: 'Your own instructions, which each question takes along' });

export const countBody = z.strictObject({ text }).meta({ id: 'CountInstructions' });
export const instructionsCount = z.object(counted).meta({ id: 'InstructionsCount' });
