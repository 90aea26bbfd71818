import { z } from 'zod';
import { CURRENCIES } from '../../domain/payments/money.ts';
import { instant, pageOf, pageQuery, tokens, uuid } from './fields.ts';
import { month } from './history.ts';

const count = z.int().min(0);
const day = z.iso.date();
const sums = {
  turns: count.meta({ description: 'Turns that were debited, each once, however often it was run' }),
  promptTokens: tokens.meta({ description: 'The provider’s tokens' }),
  cachedTokens: tokens.meta({ description: 'Inside promptTokens' }),
  completionTokens: tokens.meta({ description: 'The provider’s tokens' }),
  debitedTokens: tokens.meta({ description: 'Metered tokens of turns' }),
};
const reasoningTokens = tokens.meta({ description: 'Inside completionTokens' });
const used = z.int().meta({ description: 'Debits and adjustments' });

export const reportsQuery = z.strictObject(pageQuery);
export const reportParams = z.object({ label: month });
export const reportQuery = z.strictObject({
  format: z.enum(['json', 'csv', 'pdf']).optional().meta({ description: 'Goes before `Accept`' }),
});

export const reportPage = pageOf(
  z
    .object({
      label: month,
      turns: sums.turns,
      usedTokens: used,
    })
    .meta({ id: 'ReportLine' }),
).meta({ id: 'Reports', description: 'Months that are over, newest first, from the account’s first on' });

const hourly = z.object({
  weekday: z.int().min(1).max(7).meta({ description: '1 is Monday' }),
  hour: z.int().min(0).max(23),
  turns: sums.turns,
  debitedTokens: sums.debitedTokens,
});

const costly = z.object({
  turnId: uuid,
  conversationId: uuid.nullable(),
  title: z.string().nullable().meta({
    description: 'Of its conversation, looked up now: null where it has none, was erased, or is no chat’s',
  }),
  model: z.string(),
  bookedAt: instant,
  promptTokens: sums.promptTokens,
  cachedTokens: sums.cachedTokens,
  completionTokens: sums.completionTokens,
  debitedTokens: sums.debitedTokens,
});

const advice = z.discriminatedUnion('code', [
  z.object({ code: z.literal('buy_ahead'), days: count, blockedTurns: count }),
  z.object({ code: z.literal('shorten_history'), percent: count }),
  z.object({ code: z.literal('smaller_model'), model: z.string(), percent: count, smaller: z.string() }),
]);

export const usageReport = z
  .object({
    version: z.literal(1),
    label: month,
    startsAt: instant,
    endsAt: instant,
    timeZone: z.string().meta({ description: 'In which hours and days are told: the account’s when it was made' }),
    usage: z.object({
      ...sums,
      usedTokens: used,
      adjustedTokens: z.int().meta({ description: 'Part of usedTokens that no turn used; either sign' }),
      reasoningTokens,
      meanTokens: tokens.nullable().meta({ description: 'Debited a turn; null without turns' }),
      estimatedTurns: count,
    }),
    available: z.object({
      allowanceTokens: tokens,
      purchasedTokens: tokens.meta({ description: 'Left at the end' }),
      totalTokens: tokens,
      usagePercent: z.number().meta({ description: 'Floored to 0.01' }),
      spentAllowanceTokens: tokens,
      spentPurchasedTokens: tokens,
      overageTokens: tokens,
    }),
    booked: z
      .object({ grants: count, grantedTokens: tokens, reversals: count, reversedTokens: tokens, adjustments: count })
      .meta({ description: 'Beside turns, and in none of their sums' }),
    before: z
      .object({
        label: month,
        turns: sums.turns,
        debitedTokens: sums.debitedTokens,
        sameDays: z
          .object({ days: count, debitedTokens: tokens, before: tokens })
          .meta({ description: 'The first days of both months, as many as the shorter one has' }),
      })
      .nullable()
      .meta({ description: 'The month before; null in the account’s first' }),
    days: z.array(z.object({ day, ...sums, usedTokens: used })).meta({ description: 'As the history has them' }),
    hours: z.array(hourly).meta({ description: 'Hours of the week with turns' }),
    models: z.array(z.object({ model: z.string(), ...sums, reasoningTokens })),
    costliest: z.array(costly).max(10),
    history: z
      .object({ promptTokens: tokens, historyTokens: tokens })
      .nullable()
      .meta({ description: 'How much of what chats sent was earlier messages, about; null without chats' }),
    limits: z.object({ daysAt90: z.array(day), blockedTurns: count }),
    forecast: z.object({
      nextDepletesAt: instant.nullable().meta({
        description: 'When the next month’s tokens run out if they are used as these were; null: they last',
      }),
      nextTokens: tokens,
      made: count.meta({ description: 'Days for which a forecast was made, at 50 % or more' }),
      medianErrorDays: z.number().nullable().meta({ description: 'How far they were off' }),
      depletedAt: instant.nullable(),
    }),
    unusual: z
      .array(z.object({ day, debitedTokens: tokens, usualTokens: tokens }))
      .meta({ description: 'Days above median + 4 × MAD of the 28 before' }),
    advice: z.array(advice).max(2),
  })
  .meta({ id: 'UsageReport', description: 'A closed month. It never changes, except for titles, which are looked up' });

export const operatorReportPage = z
  .object({
    items: z.array(
      z.object({ label: month, isMade: z.boolean().meta({ description: 'Whether it is stored already' }) }),
    ),
  })
  .meta({ id: 'OperatorReports', description: 'Months that are over everywhere, newest first' });

export const operatorReport = z
  .object({
    version: z.literal(1),
    label: month,
    startsAt: instant,
    endsAt: instant,
    usage: z
      .object({
        ...sums,
        usedTokens: used,
        adjustedTokens: z.int(),
        overageTokens: tokens,
        spentPurchasedTokens: tokens,
        activeAccounts: count,
        debits: count.meta({ description: 'Of the calendar month in UTC; the next three are of these' }),
        estimatedTurns: count,
        overHoldTurns: count,
        ceilingMovedTurns: count,
      })
      .meta({ description: 'By the accounts’ own periods of that label' }),
    sales: z
      .object({
        payers: count,
        grantedTokens: tokens,
        reversedTokens: tokens,
        revenue: z.array(z.object({ currency: z.enum(CURRENCIES), paid: z.int(), refunded: z.int() })),
      })
      .meta({ description: 'Real money only, in the smallest unit' }),
    cost: z
      .object({
        known: z.array(z.object({ currency: z.enum(CURRENCIES), micros: count, lostMicros: count })),
        callsWithoutPrice: count,
      })
      .meta({ description: 'What providers charge by the catalogue’s `cost`, in millionths of a won or a dollar' }),
    models: z.array(
      z.object({
        model: z.string(),
        ...sums,
        calls: count,
        lostCalls: count.meta({ description: 'Calls that nobody was debited for' }),
        lostTokens: tokens.meta({ description: 'The provider’s tokens of these, as far as it said' }),
        errors: z.array(z.object({ code: z.string(), calls: count })),
      }),
    ),
    cohort: z
      .object({ ranOut: count, boughtWithin30Days: count })
      .meta({ description: 'Accounts refused for want of tokens in the month before' }),
    limits: z.object({ blockedAccounts: count, blockedTurns: count }),
    calibration: z
      .array(z.object({ daysBefore: z.string(), forecasts: count, medianErrorDays: z.number() }))
      .meta({ description: 'How far forecasts were off, by how many days before the end they were made' }),
  })
  .meta({ id: 'OperatorReport', description: 'A month of all accounts. It never changes' });
