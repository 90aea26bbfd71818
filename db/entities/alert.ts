import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { ALERT_LEVELS } from '../../domain/alerts.ts';
import { Account, Period } from './account.ts';
import { tokenCount } from './postgres.ts';

export const Alert = defineEntity({
  name: 'Alert',
  tableName: 'alerts',
  properties: {
    id: p.bigint('number').primary().generated('identity'),
    account: () => p.manyToOne(Account),
    period: () => p.manyToOne(Period),
    level: p.enum(ALERT_LEVELS),
    nth: p.integer(),
    usedTokens: tokenCount(),
    totalTokens: tokenCount(),
    createdAt: p.datetime(),
  },
  checks: [{ name: 'alerts_nth_is_positive', expression: 'nth > 0' }],
  uniques: [{ name: 'alerts_one_a_level_and_time', properties: ['account', 'period', 'level', 'nth'] }],
});
export type Alert = InferEntity<typeof Alert>;
