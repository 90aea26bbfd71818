import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { CURRENCIES } from '../../../domain/payments/money.ts';
import { PAYMENT_METHODS, PROVIDERS } from '../../../domain/payments/provider.ts';
import { LOOK_SOURCES, PAYMENT_FAILURES, PURCHASE_STATES, type Payment } from '../../../domain/payments/purchase.ts';
import { Account } from '../account.ts';
import { LedgerEntry } from '../ledger-entry.ts';
import { sqlIndex, tokenCount } from '../postgres.ts';
import { User } from '../user.ts';
import { Pack } from './pack.ts';

/** Made before anything is asked of a provider, which knows it by its id. */
export const Purchase = defineEntity({
  name: 'Purchase',
  tableName: 'purchases',
  properties: {
    id: p.uuid().primary(),
    account: () => p.manyToOne(Account),
    user: () => p.manyToOne(User),
    pack: () => p.manyToOne(Pack).deleteRule('no action').updateRule('no action'),
    tokens: tokenCount(),
    bonusTokens: tokenCount(),
    currency: p.enum(CURRENCIES),
    amount: p.integer(),
    /** What an admin has taken for the price, of a payment of another amount. */
    acceptedAmount: p.integer().nullable(),
    provider: p.enum(PROVIDERS),
    method: p.enum(PAYMENT_METHODS).nullable(),
    livemode: p.boolean(),
    state: p.enum(PURCHASE_STATES).default('created'),
    failure: p.enum(PAYMENT_FAILURES).nullable(),
    providerSessionId: p.text().nullable(),
    providerPaymentId: p.text().nullable(),
    idempotencyKey: p.text(),
    receiptUrl: p.text().nullable(),
    cashReceiptUrl: p.text().nullable(),
    expiresAt: p.datetime(),
    dueAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    paidAt: p.datetime().nullable(),
    lookedAt: p.datetime().nullable(),
  },
  checks: [
    { name: 'purchases_give_tokens_for_money', expression: 'tokens > 0 and amount > 0 and amount <= 1000000000' },
    { name: 'purchases_are_accepted_for_money', expression: 'accepted_amount > 0 and accepted_amount <= 1000000000' },
    { name: 'purchases_of_the_demo_are_not_money', expression: "provider <> 'demo' or not livemode" },
  ],
  uniques: [
    { name: 'purchases_one_a_key', properties: ['account', 'idempotencyKey'] },
    { name: 'purchases_one_a_session', properties: ['provider', 'providerSessionId'] },
    { name: 'purchases_one_a_payment', properties: ['provider', 'providerPaymentId'] },
  ],
  indexes: [
    sqlIndex('purchases_newest_of_account', 'purchases (account_id, created_at desc, id desc)'),
    sqlIndex('purchases_by_state', 'purchases (state, created_at desc, id desc)'),
    sqlIndex('purchases_newest', 'purchases (created_at desc, id desc)'),
  ],
});
export type Purchase = InferEntity<typeof Purchase>;

/**
 * What the buyer alone may see, and what proves a webhook. Encrypted (AES-256-GCM), and apart, so that no list reads
 * it.
 */
export const PurchaseSecret = defineEntity({
  name: 'PurchaseSecret',
  tableName: 'purchase_secrets',
  properties: {
    purchase: () => p.oneToOne(Purchase).owner().primary().deleteRule('no action').updateRule('no action'),
    sealed: p.blob().$type<Buffer>(),
  },
});
export type PurchaseSecret = InferEntity<typeof PurchaseSecret>;

/** What was seen at the provider. Append-only: a look that saw nothing new adds none. */
export const PaymentSnapshot = defineEntity({
  name: 'PaymentSnapshot',
  tableName: 'payment_snapshots',
  properties: {
    purchase: () => p.manyToOne(Purchase).primary(),
    seq: p.integer().primary(),
    payment: p.json<Payment>(),
    state: p.enum(PURCHASE_STATES),
    paid: p.integer(),
    refunded: p.integer(),
    withdrawn: p.integer(),
    source: p.enum(LOOK_SOURCES),
    seenAt: p.datetime(),
  },
  checks: [
    { name: 'payment_snapshots_count_money', expression: 'seq > 0 and paid >= 0 and refunded >= 0 and withdrawn >= 0' },
  ],
  indexes: [
    { name: 'payment_snapshots_by_time', properties: ['seenAt'] },
    { name: 'payment_snapshots_disputed', properties: ['purchase', 'seenAt'], where: "state = 'disputed'" },
  ],
});
export type PaymentSnapshot = InferEntity<typeof PaymentSnapshot>;

/** The ledger entries that a purchase has made, and the look that each followed. */
export const PurchaseBooking = defineEntity({
  name: 'PurchaseBooking',
  tableName: 'purchase_bookings',
  properties: {
    entry: () => p.oneToOne(LedgerEntry).owner().primary().deleteRule('no action').updateRule('no action'),
    purchase: () => p.manyToOne(Purchase),
    seq: p.integer(),
  },
  indexes: [{ name: 'purchase_bookings_of_purchase', properties: ['purchase'] }],
});
export type PurchaseBooking = InferEntity<typeof PurchaseBooking>;
