import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import type { OperatorReport as OperatorFigures } from '../../../domain/reports/operator-report.ts';
import type { PersonReport } from '../../../domain/reports/person-report.ts';
import { Account, Period } from '../account.ts';
import { tokenCount } from '../postgres.ts';

/** What a closed period of an account came to: figures, days and ids. It is made once and never changes. */
export const UsageReport = defineEntity({
  name: 'UsageReport',
  tableName: 'usage_reports',
  properties: {
    account: () => p.manyToOne(Account).primary().updateRule('no action').deleteRule('no action'),
    label: p.text().primary(),
    /** Null: nothing touched the account in that month. */
    period: () => p.manyToOne(Period).nullable().updateRule('no action').deleteRule('no action'),
    version: p.integer(),
    body: p.json<PersonReport>(),
    madeAt: p.datetime(),
  },
  checks: [{ name: 'usage_reports_label_is_a_month', expression: "label ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'" }],
});
export type UsageReport = InferEntity<typeof UsageReport>;

/** When an account at 50 % or more was expected to run out, as said once on a day of its own. */
export const Forecast = defineEntity({
  name: 'Forecast',
  tableName: 'forecasts',
  properties: {
    account: () => p.manyToOne(Account).primary().updateRule('no action').deleteRule('no action'),
    madeOn: p.date().primary(),
    period: () => p.manyToOne(Period).updateRule('no action').deleteRule('no action'),
    remainingTokens: tokenCount(),
    /** Null: the tokens last until the reset. */
    depletesAt: p.datetime().nullable(),
    madeAt: p.datetime(),
  },
  indexes: [{ name: 'forecasts_of_period', properties: ['period'] }],
});
export type Forecast = InferEntity<typeof Forecast>;

/** What a month of all accounts came to. It is made once and never changes. */
export const OperatorReport = defineEntity({
  name: 'OperatorReport',
  tableName: 'operator_reports',
  properties: {
    label: p.text().primary(),
    version: p.integer(),
    body: p.json<OperatorFigures>(),
    madeAt: p.datetime(),
  },
  checks: [{ name: 'operator_reports_label_is_a_month', expression: "label ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'" }],
});
export type OperatorReport = InferEntity<typeof OperatorReport>;
