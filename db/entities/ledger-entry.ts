import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { Account, Period } from './account.ts';
import { Hold } from './hold.ts';
import { ModelRate } from './model-rate.ts';
import { sqlIndex, tokenDelta } from './postgres.ts';
import { Turn } from './turn.ts';

export const LedgerEntry = defineEntity({
  name: 'LedgerEntry',
  tableName: 'ledger_entries',
  properties: {
    id: p.bigint('number').primary().generated('identity'),
    account: () => p.manyToOne(Account),
    period: () => p.manyToOne(Period),
    kind: p.enum(['debit', 'grant', 'reversal', 'adjustment']),
    turn: () => p.manyToOne(Turn).nullable().deleteRule('no action'),
    // Refused by a trigger when it is booked without its hold, which may be archived later.
    hold: () => p.manyToOne(Hold).nullable().createForeignKeyConstraint(false),
    reverses: () => p.manyToOne(LedgerEntry).nullable().deleteRule('no action'),
    idempotencyKey: p.text().nullable(),
    reason: p.text().nullable(),
    tokens: tokenDelta(),
    purchasedDelta: tokenDelta(),
    debtDelta: tokenDelta(),
    spentPurchasedDelta: tokenDelta(),
    spentAllowanceDelta: tokenDelta(),
    overageDelta: tokenDelta(),
    usedDelta: tokenDelta(),
    estimated: p.boolean().default(false),
    overHold: p.boolean().default(false),
    ceilingMoved: p.boolean().default(false),
    createdAt: p.datetime().defaultRaw('now()'),
    day: p.date(),
    rate: () => p.manyToOne(ModelRate).nullable().deleteRule('no action'),
    promptTokens: p.integer().nullable(),
    cachedTokens: p.integer().nullable(),
    completionTokens: p.integer().nullable(),
  },
  checks: [
    {
      name: 'ledger_debits_name_turn_and_hold',
      expression: "(kind = 'debit') = (turn_id is not null) and (kind = 'debit') = (hold_id is not null)",
    },
    {
      name: 'ledger_sign_fits_the_kind',
      expression:
        "case kind when 'debit' then tokens > 0 when 'grant' then tokens > 0 when 'reversal' then tokens < 0 else tokens <> 0 end",
    },
    {
      name: 'ledger_used_is_what_was_spent',
      expression: 'used_delta = spent_purchased_delta + spent_allowance_delta + overage_delta',
    },
    {
      name: 'ledger_uses_are_debits_and_adjustments',
      expression: "used_delta = case when kind in ('debit', 'adjustment') then tokens else 0 end",
    },
    {
      name: 'ledger_purchased_tokens_are_conserved',
      expression:
        "purchased_delta + spent_purchased_delta - debt_delta = case when kind in ('grant', 'reversal') then tokens else 0 end",
    },
    {
      name: 'ledger_debits_say_what_was_metered',
      expression:
        "num_nonnulls(rate_id, prompt_tokens, cached_tokens, completion_tokens) = case kind when 'debit' then 4 else 0 end",
    },
    {
      name: 'ledger_cached_tokens_lie_inside_the_prompt',
      expression: 'cached_tokens >= 0 and cached_tokens <= prompt_tokens and completion_tokens >= 0',
    },
  ],
  uniques: [
    { name: 'ledger_one_debit_a_turn', properties: ['turn'], where: "kind = 'debit'" },
    {
      name: 'ledger_one_entry_a_key',
      properties: ['account', 'kind', 'idempotencyKey'],
      where: 'idempotency_key is not null',
    },
  ],
  indexes: [
    sqlIndex('ledger_of_account', 'ledger_entries (account_id, id desc)'),
    { name: 'ledger_of_period', properties: ['period', 'id'] },
    sqlIndex('ledger_recent_debits', "ledger_entries (account_id, id desc) include (tokens) where kind = 'debit'"),
    {
      name: 'ledger_overage_debits',
      properties: ['createdAt'],
      include: ['account', 'period'],
      where: "kind = 'debit' and overage_delta > 0",
    },
    {
      name: 'ledger_reversals',
      properties: ['reverses'],
      include: ['tokens'],
      where: 'reverses_id is not null',
    },
    sqlIndex('ledger_by_time', 'ledger_entries using brin (created_at) with (autosummarize = on)'),
  ],
});
export type LedgerEntry = InferEntity<typeof LedgerEntry>;

/** How far the proof of the counters has come, and when it was last finished: one row. */
export const Proof = defineEntity({
  name: 'Proof',
  tableName: 'proofs',
  properties: {
    id: p.integer().primary().autoincrement(false),
    throughId: p.bigint('number').defaultRaw('0'),
    sweptId: p.bigint('number').defaultRaw('0'),
    completedAt: p.datetime().nullable(),
    mismatches: p.integer().default(0),
  },
  checks: [{ name: 'proofs_is_one_row', expression: 'id = 1' }],
});
export type Proof = InferEntity<typeof Proof>;

/** The sums of a period's entries up to `throughId`. */
export const ProvedPeriod = defineEntity({
  name: 'ProvedPeriod',
  tableName: 'proved_periods',
  properties: {
    period: () => p.manyToOne(Period).primary().updateRule('no action').deleteRule('no action'),
    throughId: p.bigint('number'),
    purchasedTokens: tokenDelta(),
    debtTokens: tokenDelta(),
    spentPurchasedTokens: tokenDelta(),
    spentAllowanceTokens: tokenDelta(),
    overageTokens: tokenDelta(),
    usedTokens: tokenDelta(),
    rollupMark: p.decimal().columnType('numeric'),
    differs: p.smallint().default(0),
  },
  checks: [{ name: 'proved_periods_differ_in_three_things_at_most', expression: 'differs >= 0 and differs <= 3' }],
  indexes: [{ name: 'proved_periods_that_differ', properties: ['period'], where: 'differs > 0' }],
});
export type ProvedPeriod = InferEntity<typeof ProvedPeriod>;
