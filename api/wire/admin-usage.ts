import { z } from 'zod';
import { CURRENCIES } from '../../domain/payments/money.ts';
import { day, instant, tokens } from './fields.ts';
import { person } from './named-person.ts';

const range = { from: day.optional(), to: day.optional() };
const RANGE = 'Days, both included: the last 7 unless told, today by your wall clock, and 366 at most';

export const usageRangeQuery = z.strictObject(range).meta({ description: RANGE });
export const usagePeopleQuery = z
  .strictObject({
    ...range,
    top: z
      .string()
      .regex(/^(0|[1-9]\d?|100)$/, 'must be a whole number from 0 to 100')
      .transform(Number)
      .default(20)
      .meta({ override: { type: 'integer', minimum: 0, maximum: 100, default: 20 } }),
  })
  .meta({ description: RANGE });

const count = z.int().min(0);
const ms = z.int().min(0).meta({ description: 'Milliseconds' });
const cost = z
  .array(z.object({ currency: z.enum(CURRENCIES), micros: count }).meta({ id: 'CostInCurrency' }))
  .meta({ description: 'What the catalogue says that providers charge, in millionths of a won or of a dollar' });
const unpricedTokens = count.meta({ description: 'Prompt and completion tokens of models without a cost' });
const used = {
  turns: count.meta({ description: 'Turns that were debited' }),
  promptTokens: tokens.meta({ description: 'The provider’s tokens' }),
  cachedTokens: tokens.meta({ description: 'Inside promptTokens' }),
  completionTokens: tokens.meta({ description: 'The provider’s tokens' }),
  usedTokens: tokens.meta({ description: 'Metered tokens, as debited; adjustments are left out' }),
};
/** How soon turns began to be answered. */
export const firstDelta = z
  .object({ turns: count.meta({ description: 'Of how many turns it is known' }), p50Ms: ms, p95Ms: ms })
  .nullable()
  .meta({
    id: 'FirstDelta',
    description: 'From a turn’s admission to its first delta: half, and 95 of 100, had it sooner. null: none is known',
  });
const figures = {
  ...used,
  failures: count.meta({ description: 'Turns that stand failed, by when they were accepted on your wall clock' }),
  firstDelta,
  cost,
  unpricedTokens,
};
const rangeFigures = {
  from: day,
  to: day,
  total: z.object(figures).meta({ id: 'UsageFigures' }),
  days: z
    .array(z.object({ day, ...figures }).meta({ id: 'UsageOfDay' }))
    .meta({ description: 'Oldest first, no gaps' }),
  models: z
    .array(z.object({ model: z.string(), ...figures }).meta({ id: 'UsageOfModel' }))
    .meta({ description: 'The most used first' }),
};
const before = 'As many days just before';

export const usageOfRange = z
  .object({
    ...rangeFigures,
    timeZone: z.string().meta({ description: 'Of the asking admin' }),
    before: z.object(rangeFigures).meta({ id: 'UsageBefore', description: before }),
    asOf: instant.meta({ description: 'What was booked by then is in the figures' }),
  })
  .meta({ id: 'UsageOfRange' });

const counted = {
  from: day,
  to: day,
  people: count.meta({ description: 'People with a debit' }),
  days: z.array(z.object({ day, people: count }).meta({ id: 'PeopleOfDay' })),
  models: z.array(z.object({ model: z.string(), people: count }).meta({ id: 'PeopleOfModel' })),
};

export const usagePeople = z
  .object({
    ...counted,
    before: z.object(counted).meta({ id: 'PeopleBefore', description: before }),
    top: z.array(
      person
        .extend({
          turns: used.turns,
          usedTokens: used.usedTokens,
          cost,
          unpricedTokens,
          models: z.array(z.object({ model: z.string(), ...used }).meta({ id: 'PersonUsageOfModel' })),
        })
        .meta({ id: 'PersonUsage' }),
    ),
  })
  .meta({ id: 'UsagePeople', description: 'Who used tokens, and the people who used most' });
