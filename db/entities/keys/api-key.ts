import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { CAP_KINDS, type KeyScope } from '../../../domain/api-keys.ts';
import { Account, Period } from '../account.ts';
import { tokenCount } from '../postgres.ts';
import { User } from '../user.ts';

/** A key of ours. One that the operator made by a command has no name and no scopes: it may what its person may. */
export const ApiKey = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  properties: {
    id: p.bigint('number').primary().generated('identity'),
    user: () => p.manyToOne(User),
    tokenHash: p.blob().$type<Buffer>(),
    tokenHint: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
    lastUsedAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
    expiresAt: p.datetime().nullable(),
    name: p.text().nullable(),
    // Who pays for its turns. Null: the person's own account.
    account: () => p.manyToOne(Account).nullable(),
    scopes: p.array<KeyScope>().$type<KeyScope[]>().columnType('text[]').nullable(),
    // Null: every model on offer.
    models: p.array().$type<string[]>().columnType('text[]').nullable(),
    capTokens: tokenCount().nullable(),
    capKind: p.enum(CAP_KINDS).nullable(),
    requestsPerMinute: p.integer().nullable(),
    // The network of the address that used it last, never the address.
    lastUsedFrom: p.text().nullable(),
    // The secret before the last rotation, which is good until its end.
    previousHash: p.blob().$type<Buffer>().nullable(),
    previousHint: p.text().nullable(),
    previousEndsAt: p.datetime().nullable(),
  },
  checks: [
    { name: 'api_keys_made_by_people_have_scopes', expression: '(name is null) = (scopes is null)' },
    {
      name: 'api_keys_scopes_are_known',
      expression: "cardinality(scopes) > 0 and scopes <@ array['chat', 'v1', 'read']",
    },
    { name: 'api_keys_models_are_some', expression: 'cardinality(models) > 0' },
    { name: 'api_keys_caps_have_a_kind', expression: '(cap_tokens is null) = (cap_kind is null)' },
    { name: 'api_keys_requests_are_some', expression: 'requests_per_minute > 0' },
    {
      name: 'api_keys_previous_is_whole',
      expression:
        '(previous_hash is null) = (previous_hint is null) and (previous_hash is null) = (previous_ends_at is null)',
    },
  ],
  uniques: [
    { name: 'api_keys_hash_is_unique', properties: ['tokenHash'] },
    { name: 'api_keys_previous_is_unique', properties: ['previousHash'], where: 'previous_hash is not null' },
  ],
  indexes: [{ name: 'api_keys_by_user', properties: ['user'] }],
});
export type ApiKey = InferEntity<typeof ApiKey>;

/** What was debited for a key's turns in a period of the account that paid. The ledger writes it with each debit. */
export const KeyUsage = defineEntity({
  name: 'KeyUsage',
  tableName: 'key_usage',
  properties: {
    key: () => p.manyToOne(ApiKey).primary(),
    period: () => p.manyToOne(Period).primary(),
    usedTokens: tokenCount(),
    turns: p.integer(),
  },
  checks: [{ name: 'key_usage_counts_turns', expression: 'turns > 0' }],
});
export type KeyUsage = InferEntity<typeof KeyUsage>;
