import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { REFUND_FAILURES, REFUND_STATES } from '../../../domain/payments/refund.ts';
import { User } from '../user.ts';
import { Purchase } from './purchase.ts';

/** Money that was asked back. Its tokens are taken when it is made, and come back when the provider refuses. */
export const Refund = defineEntity({
  name: 'Refund',
  tableName: 'refunds',
  properties: {
    id: p.uuid().primary(),
    purchase: () => p.manyToOne(Purchase),
    amount: p.integer(),
    state: p.enum(REFUND_STATES).default('requested'),
    failure: p.enum(REFUND_FAILURES).nullable(),
    reason: p.text(),
    requestedBy: () => p.manyToOne(User).nullable().deleteRule('no action'),
    idempotencyKey: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
    endedAt: p.datetime().nullable(),
  },
  checks: [
    { name: 'refunds_are_money', expression: 'amount > 0' },
    { name: 'refunds_end_when_they_are_decided', expression: "(ended_at is null) = (state = 'requested')" },
  ],
  uniques: [
    { name: 'refunds_one_a_key', properties: ['purchase', 'idempotencyKey'] },
    { name: 'refunds_one_at_a_time', properties: ['purchase'], where: "state = 'requested'" },
  ],
});
export type Refund = InferEntity<typeof Refund>;
