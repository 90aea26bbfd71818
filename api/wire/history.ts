import { z } from 'zod';
import { rateVersion } from './account.ts';
import { instant, pageOf, pageQuery, tokens, uuid } from './fields.ts';

export const month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'must be a month, YYYY-MM');
const day = z.iso.date().meta({
  description:
    'A day on the account’s wall clock, in the zone that was set when each was booked; outside its month only after a change of zone',
});

export const historyQuery = z.strictObject({
  by: z.enum(['day', 'turn', 'model', 'label']).default('day'),
  month: month.optional().meta({
    description:
      'Label of a period (`period.label` of the usage state); the open one by default. A month that has not begun is 400, one before the account is empty',
    example: '2026-11',
  }),
  ...pageQuery,
});

const figures = {
  turns: z.int().min(0).meta({ description: 'Turns that were debited' }),
  promptTokens: tokens.meta({ description: 'The provider’s tokens' }),
  cachedTokens: tokens.meta({ description: 'Inside promptTokens' }),
  completionTokens: tokens.meta({ description: 'The provider’s tokens' }),
  usedTokens: z.int().meta({
    description:
      'Metered tokens. All items together: `usedTokens` of the period. Below 0 only where an adjustment took back more than was used',
  }),
};

export const dayUsage = z
  .object({
    day,
    ...figures,
    adjustedTokens: z.int().meta({ description: 'Part of usedTokens that no turn used; either sign' }),
  })
  .meta({ id: 'DayUsage' });

export const modelUsage = z
  .object({
    model: z.string().nullable().meta({ description: 'null: adjustments, which no model used' }),
    rateVersions: z
      .array(rateVersion)
      .meta({ description: 'Versions of its rates that turns of the month were debited by' }),
    ...figures,
  })
  .meta({ id: 'ModelUsage' });

const apiLabel = z.string().nullable();
export const labelUsage = z
  .object({
    label: apiLabel.meta({
      description: '`user` of requests to /v1; null: turns without one, of the chat as well. Adjustments are left out',
    }),
    ...figures,
  })
  .meta({ id: 'LabelUsage' });

export const turnUsage = z
  .object({
    turnId: uuid,
    conversationId: uuid,
    day,
    bookedAt: instant.meta({ description: 'When it was settled' }),
    model: z.string(),
    rateVersion,
    promptTokens: figures.promptTokens,
    cachedTokens: figures.cachedTokens,
    completionTokens: figures.completionTokens,
    debitedTokens: tokens,
    estimated: z.boolean(),
    label: apiLabel.meta({ description: '`user` of the request to /v1' }),
  })
  .meta({ id: 'TurnUsage' });

const ofMonth = { month: month.meta({ description: 'Label of the period shown' }) };
/** One of four pages, chosen by `by`. */
export const historyPage = z.union([
  pageOf(dayUsage)
    .extend(ofMonth)
    .meta({ id: 'UsageByDay', description: 'Newest day first; days without usage are left out' }),
  pageOf(turnUsage)
    .extend(ofMonth)
    .meta({ id: 'UsageByTurn', description: 'Debits, newest first; adjustments are no turns and are left out' }),
  pageOf(modelUsage).extend(ofMonth).meta({ id: 'UsageByModel', description: 'By name, adjustments last' }),
  pageOf(labelUsage).extend(ofMonth).meta({ id: 'UsageByLabel', description: 'By name, what has none last' }),
]);
