import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { Account } from './account.ts';
import { tokenCount } from './postgres.ts';
import { Turn } from './turn.ts';

export const Hold = defineEntity({
  name: 'Hold',
  tableName: 'holds',
  properties: {
    id: p.uuid().primary().defaultRaw('gen_random_uuid()'),
    account: () => p.manyToOne(Account),
    turn: () => p.manyToOne(Turn),
    runId: p.text(),
    ordinal: p.integer(),
    state: p.enum(['pending', 'settled', 'released', 'expired']).default('pending'),
    tokens: tokenCount(),
    promptTokens: p.integer(),
    outputLimit: p.integer(),
    historyFrom: p.integer().nullable(),
    filesFrom: p.integer().nullable(),
    // The four columns together point at one version of a rate. Their foreign key is in ../schema/schema-generator.ts.
    rateId: p.integer(),
    rateInput: p.integer(),
    rateCachedInput: p.integer(),
    rateOutput: p.integer(),
    expiresAt: p.datetime(),
    createdAt: p.datetime().defaultRaw('now()'),
    endedAt: p.datetime().nullable(),
  },
  checks: [
    { name: 'holds_rate_input_is_positive', expression: 'rate_input > 0' },
    { name: 'holds_rate_cached_input_is_positive', expression: 'rate_cached_input > 0' },
    { name: 'holds_rate_output_is_positive', expression: 'rate_output > 0' },
    { name: 'holds_end_when_they_move', expression: "(ended_at is null) = (state = 'pending')" },
  ],
  uniques: [
    { name: 'holds_one_per_run_and_admission', properties: ['turn', 'runId', 'ordinal'] },
    { name: 'holds_one_pending_a_turn', properties: ['turn'], where: "state = 'pending'" },
  ],
  indexes: [{ name: 'holds_live_of_account', properties: ['account'], where: 'ended_at is null' }],
});
export type Hold = InferEntity<typeof Hold>;
