import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { CURRENCIES } from '../../../domain/payments/money.ts';
import { tokenCount } from '../postgres.ts';

/** What can be bought. A version never changes, because purchases point at it; another price is the next version. */
export const Pack = defineEntity({
  name: 'Pack',
  tableName: 'packs',
  properties: {
    id: p.text().primary(),
    version: p.integer().primary(),
    nameKo: p.text(),
    nameEn: p.text(),
    tokens: tokenCount(),
    bonusTokens: tokenCount().defaultRaw('0'),
    currency: p.enum(CURRENCIES),
    amount: p.integer(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
  checks: [
    { name: 'packs_id_is_a_word', expression: "id ~ '^[a-z0-9][a-z0-9-]{0,39}$'" },
    { name: 'packs_give_tokens_for_money', expression: 'tokens > 0 and amount > 0 and amount <= 1000000000' },
  ],
});
export type Pack = InferEntity<typeof Pack>;
