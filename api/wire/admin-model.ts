import { z } from 'zod';
import { firstDelta } from './admin-usage.ts';
import { reason } from './audit.ts';
import { instant, pageOf, tokens } from './fields.ts';

const thousandths = z.int().min(1).meta({ description: 'Thousandths of a metered token for one of the provider’s' });

export const adminModel = z
  .object({
    model: z.string(),
    isInCatalogue: z.boolean().meta({ description: 'Whether `MODELS` has it now; what is gone keeps its turns' }),
    isOffered: z.boolean().meta({ description: 'Whether a question may ask it: the catalogue has it, and it is on' }),
    offSince: instant.nullable().meta({ description: 'When an admin switched it off; null: it is on' }),
    isDefault: z.boolean().meta({ description: 'The first of the catalogue that is on' }),
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
    firstDelta: firstDelta.meta({ description: 'Of the newest of those that ended, 1,000 at most' }),
  })
  .meta({ id: 'AdminModel' });

export const modelParams = z.object({ model: z.string().min(1).max(100) });
export const modelSwitch = z.strictObject({ isOn: z.boolean(), reason });
export const adminModelPage = pageOf(adminModel).meta({ id: 'AdminModels' });
