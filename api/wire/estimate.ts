import { z } from 'zod';
import { tokens } from './fields.ts';
import { sendBody } from './turn.ts';

const { turnId: _, ...fields } = sendBody.shape;

/** The fields of a send that decide what it may cost. */
export const estimateBody = z.strictObject(fields).meta({ id: 'Estimate' });

export const estimate = z
  .object({
    model: z.string(),
    mostTokens: tokens.meta({ description: 'The hold that a send would make now: what it costs at most' }),
    fileTokens: z.int().min(0).meta({ description: 'Of it the question’s files, in the model’s tokens' }),
    promptTokens: z.int().min(0).meta({ description: 'The whole prompt by our count, in the model’s tokens' }),
    maxOutputTokens: z.int().min(0).meta({ description: 'The limit of the answer' }),
    refusal: z.enum(['TOKEN_EXHAUSTED', 'tokens_held', 'context_length']).nullable().meta({
      description: 'Why a send would be refused now; the figures are then those that it would have with room enough',
    }),
  })
  .meta({ id: 'EstimatedCost' });
