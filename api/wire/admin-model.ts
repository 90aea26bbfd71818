import { z } from 'zod';
import { instant, pageOf, tokens } from './fields.ts';

const thousandths = z.int().min(1).meta({ description: 'Thousandths of a metered token for one of the provider’s' });

export const adminModel = z
  .object({
    model: z.string(),
    isOffered: z.boolean().meta({ description: 'Whether the catalogue has it now; what is gone keeps its turns' }),
    isDefault: z.boolean(),
    rate: z.object({
      version: z.int().min(1),
      input: thousandths,
      cachedInput: thousandths,
      output: thousandths,
      since: instant.meta({ description: 'When this version was published' }),
    }),
    contextWindow: tokens.nullable().meta({ description: 'null where it is not on offer' }),
    maxOutputTokens: tokens.nullable(),
    turns: z.int().min(0).meta({ description: 'That ended in the last 24 hours; the newest 10,000 at most' }),
    failed: z.int().min(0).meta({ description: 'Those of them that stand failed' }),
    errorPercent: z.number().min(0).max(100).nullable().meta({ description: 'To 0.01; null without turns' }),
  })
  .meta({ id: 'AdminModel' });
export const adminModelPage = pageOf(adminModel).meta({ id: 'AdminModels' });
