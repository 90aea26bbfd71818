import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { Account, Period } from './account.ts';
import { ModelRate } from './model-rate.ts';
import { tokenCount, tokenDelta } from './postgres.ts';

export const UsageRollup = defineEntity({
  name: 'UsageRollup',
  tableName: 'usage_rollups',
  properties: {
    period: () => p.manyToOne(Period).primary(),
    day: p.date().primary(),
    rate: () => p.manyToOne(ModelRate).primary().nullable().deleteRule('no action'),
    turns: p.integer(),
    promptTokens: tokenCount(),
    cachedTokens: tokenCount(),
    completionTokens: tokenCount(),
    usedTokens: tokenDelta(),
  },
  checks: [
    { name: 'usage_rollups_of_turns_name_a_rate', expression: '(rate_id is not null) = (turns > 0)' },
    { name: 'usage_rollups_only_adjustments_go_down', expression: 'rate_id is null or used_tokens > 0' },
  ],
  uniques: [
    {
      name: 'usage_rollups_one_per_day_and_rate',
      expression:
        'alter table usage_rollups add constraint usage_rollups_one_per_day_and_rate unique nulls not distinct (period_id, day, rate_id)',
    },
  ],
  indexes: [{ name: 'usage_rollups_of_day', properties: ['day', 'period'] }],
});
export type UsageRollup = InferEntity<typeof UsageRollup>;

/** What debits of all accounts used on a day, by rate: as far as `UsageDayMark` says. */
export const UsageDay = defineEntity({
  name: 'UsageDay',
  tableName: 'usage_days',
  properties: {
    day: p.date().primary(),
    rate: () => p.manyToOne(ModelRate).primary().updateRule('no action').deleteRule('no action'),
    turns: p.integer(),
    promptTokens: tokenCount(),
    cachedTokens: tokenCount(),
    completionTokens: tokenCount(),
    usedTokens: tokenCount(),
  },
});
export type UsageDay = InferEntity<typeof UsageDay>;

/** How many turns of a day and rate had their first delta below `belowMs`, and not below the bound before. */
export const FirstDeltaDay = defineEntity({
  name: 'FirstDeltaDay',
  tableName: 'first_delta_days',
  properties: {
    day: p.date().primary(),
    rate: () => p.manyToOne(ModelRate).primary().updateRule('no action').deleteRule('no action'),
    belowMs: p.integer().primary(),
    turns: p.integer(),
  },
});
export type FirstDeltaDay = InferEntity<typeof FirstDeltaDay>;

/** The last ledger entry that the figures of days contain: one row. */
export const UsageDayMark = defineEntity({
  name: 'UsageDayMark',
  tableName: 'usage_day_marks',
  properties: {
    id: p.integer().primary().autoincrement(false),
    throughId: p.bigint('number').defaultRaw('0'),
  },
  checks: [{ name: 'usage_day_marks_is_one_row', expression: 'id = 1' }],
});
export type UsageDayMark = InferEntity<typeof UsageDayMark>;

/** What an account had used by one model at the end of each day of a month, as far as `UsagePersonMark` says. */
export const UsagePersonMonth = defineEntity({
  name: 'UsagePersonMonth',
  tableName: 'usage_person_months',
  properties: {
    /** The first day of the month. */
    month: p.date().primary(),
    account: () => p.manyToOne(Account).primary().updateRule('no action').deleteRule('no action'),
    /** The first version of the model. */
    rate: () => p.manyToOne(ModelRate).primary().updateRule('no action').deleteRule('no action'),
    /** Those with use, in order. */
    days: p.array<string>().columnType('date[]'),
    /** From the first of the month to the end of each of these days. */
    throughTokens: p.array<number>().columnType('bigint[]'),
  },
  checks: [
    {
      name: 'usage_person_months_have_a_sum_a_day',
      expression: 'cardinality(days) > 0 and cardinality(days) = cardinality(through_tokens)',
    },
  ],
});
export type UsagePersonMonth = InferEntity<typeof UsagePersonMonth>;

/** How many people used tokens on a day, as far as `UsagePersonMark` says. */
export const UsagePeopleDay = defineEntity({
  name: 'UsagePeopleDay',
  tableName: 'usage_people_days',
  properties: { day: p.date().primary(), people: p.integer() },
});
export type UsagePeopleDay = InferEntity<typeof UsagePeopleDay>;

/** The last day for which people are added up, and how far the range of days is that is under way: one row. */
export const UsagePersonMark = defineEntity({
  name: 'UsagePersonMark',
  tableName: 'usage_person_marks',
  properties: {
    id: p.integer().primary().autoincrement(false),
    throughDay: p.date().nullable(),
    toDay: p.date().nullable(),
    /** The last that was added up for the range; not a reference, because it only says where to go on. */
    accountId: p.bigint('number').defaultRaw('0'),
  },
  checks: [{ name: 'usage_person_marks_is_one_row', expression: 'id = 1' }],
});
export type UsagePersonMark = InferEntity<typeof UsagePersonMark>;

/** How often an account was refused for want of tokens on a day. */
export const Refusal = defineEntity({
  name: 'Refusal',
  tableName: 'refusals',
  properties: {
    account: () => p.manyToOne(Account).primary(),
    day: p.date().primary(),
    count: p.integer(),
  },
  checks: [{ name: 'refusals_are_counted_from_one', expression: 'count > 0' }],
});
export type Refusal = InferEntity<typeof Refusal>;
