import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import type { ErrorCode } from '../../domain/errors.ts';
import type { UsageFigures } from '../../domain/usage.ts';
import { Account } from './account.ts';
import { Hold } from './hold.ts';
import { tokenCount } from './postgres.ts';
import { Turn } from './turn.ts';

export const Attempt = defineEntity({
  name: 'Attempt',
  tableName: 'attempts',
  properties: {
    turn: () => p.manyToOne(Turn).primary(),
    number: p.integer().primary(),
    runId: p.text(),
    hold: () => p.manyToOne(Hold),
    state: p.enum(['open', 'answered', 'stopped', 'failed', 'lost']).default('open'),
    errorCode: p.text().$type<ErrorCode>().nullable(),
    finishReason: p.text().$type<'stop' | 'length'>().nullable(),
    providerRequestId: p.text().nullable(),
    promptTokens: p.integer().nullable(),
    cachedTokens: p.integer().nullable(),
    completionTokens: p.integer().nullable(),
    reasoningTokens: p.integer().nullable(),
    estimated: p.boolean().nullable(),
    startedAt: p.datetime().defaultRaw('now()'),
    endedAt: p.datetime().nullable(),
    providerStatus: p.integer().nullable(),
    providerCode: p.text().nullable(),
    // Of those opened before it was written down: null.
    temporalAttempt: p.integer().nullable(),
    // The provider's own: its finish word, and its figures where ours count instead.
    finishWord: p.text().nullable(),
    finishUnknown: p.boolean().default(false),
    providerUsage: p.json<UsageFigures>().nullable(),
    // From the admission of its run. Of calls that were not stored, and of those before it was kept: null.
    firstDeltaMs: p.integer().nullable(),
  },
  checks: [
    { name: 'attempts_provider_code_is_a_word', expression: "provider_code ~ '^[A-Za-z0-9_.-]{1,64}$'" },
    { name: 'attempts_finish_word_is_a_word', expression: "finish_word ~ '^[A-Za-z0-9_.-]{1,64}$'" },
  ],
});
export type Attempt = InferEntity<typeof Attempt>;

/** What empty answers of one hour used and nobody paid: one row an account, of the last hour that had any. */
export const UnpaidTokens = defineEntity({
  name: 'UnpaidTokens',
  tableName: 'unpaid_tokens',
  properties: {
    account: () => p.manyToOne(Account).primary(),
    hour: p.datetime(),
    tokens: tokenCount(),
  },
  indexes: [{ name: 'unpaid_tokens_by_hour', properties: ['hour', 'tokens'] }],
});
export type UnpaidTokens = InferEntity<typeof UnpaidTokens>;
