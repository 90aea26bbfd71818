import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { PAYMENT_CHECKS } from '../../../domain/payments/listed.ts';
import { PROVIDERS } from '../../../domain/payments/provider.ts';
import { sqlIndex } from '../postgres.ts';

/** Money that a provider took and that is no purchase's. It stays for an admin, who gives it back at the provider. */
export const UnmatchedPayment = defineEntity({
  name: 'UnmatchedPayment',
  tableName: 'unmatched_payments',
  properties: {
    provider: p.enum(PROVIDERS).primary(),
    paymentId: p.text().primary(),
    /** The purchase that it says it is of, as the provider has it; null when it says none. */
    orderId: p.text().nullable(),
    amount: p.bigint('number'),
    currency: p.text(),
    livemode: p.boolean(),
    takenAt: p.datetime(),
    foundAt: p.datetime().defaultRaw('now()'),
  },
  indexes: [sqlIndex('unmatched_payments_newest', 'unmatched_payments (taken_at desc, payment_id desc)')],
});
export type UnmatchedPayment = InferEntity<typeof UnmatchedPayment>;

/** When something about a provider last went well. */
export const PaymentCheck = defineEntity({
  name: 'PaymentCheck',
  tableName: 'payment_checks',
  properties: {
    provider: p.enum(PROVIDERS).primary(),
    what: p.enum(PAYMENT_CHECKS).primary(),
    at: p.datetime().defaultRaw('now()'),
  },
});
export type PaymentCheck = InferEntity<typeof PaymentCheck>;
