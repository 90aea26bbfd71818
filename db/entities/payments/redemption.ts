import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { Account } from '../account.ts';
import { LedgerEntry } from '../ledger-entry.ts';
import { tokenCount } from '../postgres.ts';
import { User } from '../user.ts';

/** Codes that were made at once, for the same tokens. The codes themselves are shown once and are nowhere. */
export const CodeBatch = defineEntity({
  name: 'CodeBatch',
  tableName: 'code_batches',
  properties: {
    id: p.uuid().primary(),
    tokens: tokenCount(),
    /** How many accounts may redeem each code. */
    maxUses: p.integer(),
    expiresAt: p.datetime().nullable(),
    reason: p.text(),
    madeBy: () => p.manyToOne(User).nullable().deleteRule('no action'),
    idempotencyKey: p.text().unique('code_batches_one_a_key'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
  checks: [{ name: 'code_batches_give_tokens', expression: 'tokens > 0 and max_uses > 0' }],
  indexes: [
    {
      name: 'code_batches_newest',
      expression: 'create index code_batches_newest on code_batches (created_at desc, id desc)',
    },
  ],
});
export type CodeBatch = InferEntity<typeof CodeBatch>;

export const RedemptionCode = defineEntity({
  name: 'RedemptionCode',
  tableName: 'redemption_codes',
  properties: {
    id: p.bigint('number').primary().generated('identity'),
    batch: () => p.manyToOne(CodeBatch).deleteRule('no action').updateRule('no action'),
    /** SHA-256 of the code. */
    codeHash: p.blob().$type<Buffer>().unique('redemption_codes_are_unique'),
    /** Its last four letters, so that a person and an admin can speak about it. */
    hint: p.text(),
    maxUses: p.integer(),
    uses: p.integer().default(0),
    revokedAt: p.datetime().nullable(),
  },
  checks: [{ name: 'redemption_codes_are_used_as_often_as_they_may', expression: 'uses >= 0 and uses <= max_uses' }],
  indexes: [{ name: 'redemption_codes_of_batch', properties: ['batch', 'id'] }],
});
export type RedemptionCode = InferEntity<typeof RedemptionCode>;

/** An account redeems a code once; the ledger entry is what it gave. */
export const Redemption = defineEntity({
  name: 'Redemption',
  tableName: 'redemptions',
  properties: {
    code: () => p.manyToOne(RedemptionCode).primary().deleteRule('no action').updateRule('no action'),
    account: () => p.manyToOne(Account).primary().deleteRule('no action').updateRule('no action'),
    entry: () => p.oneToOne(LedgerEntry).owner().deleteRule('no action').updateRule('no action'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
  indexes: [{ name: 'redemptions_of_account', properties: ['account'] }],
});
export type Redemption = InferEntity<typeof Redemption>;
