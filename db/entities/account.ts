import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { ALERT_LEVELS } from '../../domain/alerts.ts';
import { tokenCount } from './postgres.ts';
import { User } from './user.ts';

export const Account = defineEntity({
  name: 'Account',
  tableName: 'accounts',
  properties: {
    id: p.bigint('number').primary().generated('by default as identity'),
    user: () => p.oneToOne(User).owner().unique('accounts_one_per_user'),
    timeZone: p.text().default('Asia/Seoul'),
    monthlyAllowanceTokens: tokenCount().defaultRaw('100000'),
    purchasedTokens: tokenCount().defaultRaw('0'),
    debtTokens: tokenCount().defaultRaw('0'),
    createdAt: p.datetime().defaultRaw('now()'),
    suspendedAt: p.datetime().nullable(),
  },
  indexes: [{ name: 'accounts_suspended', properties: ['user'], where: 'suspended_at is not null' }],
});
export type Account = InferEntity<typeof Account>;

/** A zone that an account had, and until when. */
export const FormerTimeZone = defineEntity({
  name: 'FormerTimeZone',
  tableName: 'former_time_zones',
  properties: {
    id: p.bigint('number').primary().generated('identity'),
    account: () => p.manyToOne(Account).updateRule('no action').deleteRule('no action'),
    timeZone: p.text(),
    until: p.datetime(),
  },
  indexes: [{ name: 'former_time_zones_of_account', properties: ['account', 'until', 'id'] }],
});
export type FormerTimeZone = InferEntity<typeof FormerTimeZone>;

export const Period = defineEntity({
  name: 'Period',
  tableName: 'periods',
  properties: {
    id: p.bigint('number').primary().generated('identity'),
    account: () => p.manyToOne(Account),
    label: p.text(),
    startsAt: p.datetime(),
    endsAt: p.datetime(),
    allowanceTokens: tokenCount(),
    usedTokens: tokenCount().defaultRaw('0'),
    spentPurchasedTokens: tokenCount().defaultRaw('0'),
    spentAllowanceTokens: tokenCount().defaultRaw('0'),
    overageTokens: tokenCount().defaultRaw('0'),
    createdAt: p.datetime().defaultRaw('now()'),
    resetArmed: p.boolean().default(false),
    alertArmed: p.enum(ALERT_LEVELS).nullable(),
  },
  checks: [
    { name: 'periods_label_is_a_month', expression: "label ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'" },
    { name: 'periods_end_after_they_start', expression: 'ends_at > starts_at' },
    { name: 'periods_allowance_is_not_overspent', expression: 'spent_allowance_tokens <= allowance_tokens' },
    {
      name: 'periods_used_is_the_sum_of_its_parts',
      expression: 'used_tokens = spent_purchased_tokens + spent_allowance_tokens + overage_tokens',
    },
    {
      name: 'periods_overage_only_after_the_allowance',
      expression: 'overage_tokens = 0 or spent_allowance_tokens = allowance_tokens',
    },
  ],
  uniques: [
    { name: 'periods_one_per_account_and_month', properties: ['account', 'label'] },
    { name: 'periods_follow_each_other', properties: ['account', 'startsAt'] },
  ],
  indexes: [
    { name: 'periods_newest_of_account', columns: [{ name: 'account' }, { name: 'endsAt', sort: 'desc' }] },
    { name: 'periods_by_end', properties: ['endsAt'] },
    { name: 'periods_reset_armed', properties: ['label', 'account'], where: 'reset_armed' },
    { name: 'periods_alert_armed', properties: ['account'], where: 'alert_armed is not null' },
  ],
});
export type Period = InferEntity<typeof Period>;
