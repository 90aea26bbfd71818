import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { CURRENCIES } from '../../../domain/payments/money.ts';
import { KEPT_CARD_STATES } from '../../../domain/payments/kept-card.ts';
import { PROVIDERS } from '../../../domain/payments/provider.ts';
import {
  DECLINES,
  TOP_UP_OUTCOMES,
  TOP_UP_PAUSES,
  TOP_UP_STATES,
  TOP_UP_WAYS,
} from '../../../domain/payments/top-up.ts';
import { Account } from '../account.ts';
import { sqlIndex, tokenCount } from '../postgres.ts';
import { Pack } from './pack.ts';
import { Purchase } from './purchase.ts';

/** Under which name a provider has the account whose cards it keeps. */
export const PaymentCustomer = defineEntity({
  name: 'PaymentCustomer',
  tableName: 'payment_customers',
  properties: {
    account: () => p.manyToOne(Account).primary().deleteRule('no action').updateRule('no action'),
    provider: p.enum(PROVIDERS).primary(),
    livemode: p.boolean().primary(),
    /** By it the provider is asked to make the customer, once. */
    key: p.uuid().unique('payment_customers_one_a_key'),
    providerRef: p.text().nullable(),
  },
});
export type PaymentCustomer = InferEntity<typeof PaymentCustomer>;

/** A card that its owner lets us charge without them. It is a row before the provider is asked to keep it. */
export const PaymentMethod = defineEntity({
  name: 'PaymentMethod',
  tableName: 'payment_methods',
  properties: {
    id: p.uuid().primary(),
    account: () => p.manyToOne(Account).deleteRule('no action').updateRule('no action'),
    provider: p.enum(PROVIDERS),
    livemode: p.boolean(),
    state: p.enum(KEPT_CARD_STATES).default('open'),
    providerSessionId: p.text().nullable(),
    /** The provider's name of the card, sealed for this row. */
    sealed: p.blob().$type<Buffer>().nullable(),
    brand: p.text().nullable(),
    last4: p.text().nullable(),
    /** The last month in which it is good: `2028-04`. */
    expires: p.text().nullable(),
    createdAt: p.datetime(),
    lookedAt: p.datetime().nullable(),
    /** When it was kept. */
    activeAt: p.datetime().nullable(),
    /** When its bank refused it for good; null once something was paid with it. */
    refusedAt: p.datetime().nullable(),
    /** When the provider forgot it: a removed one without this is still to be forgotten. */
    forgottenAt: p.datetime().nullable(),
  },
  checks: [
    { name: 'payment_methods_show_four_digits', expression: "last4 ~ '^[0-9]{4}$'" },
    { name: 'payment_methods_that_are_kept_have_a_name', expression: "state <> 'active' or sealed is not null" },
  ],
  uniques: [{ name: 'payment_methods_one_a_session', properties: ['provider', 'providerSessionId'] }],
  indexes: [
    sqlIndex('payment_methods_of_account', 'payment_methods (account_id, created_at desc)'),
    {
      name: 'payment_methods_to_forget',
      properties: ['createdAt'],
      where: "state = 'removed' and forgotten_at is null and sealed is not null",
    },
  ],
});
export type PaymentMethod = InferEntity<typeof PaymentMethod>;

/** What a person has chosen: which pack is bought, or reminded of, when their tokens fall below what. */
export const AutoTopUp = defineEntity({
  name: 'AutoTopUp',
  tableName: 'auto_top_ups',
  properties: {
    account: () => p.oneToOne(Account).owner().primary().deleteRule('no action').updateRule('no action'),
    state: p.enum(TOP_UP_STATES),
    way: p.enum(TOP_UP_WAYS),
    /** The version that was chosen: nobody pays a price that they have not seen. */
    pack: () => p.manyToOne(Pack).deleteRule('no action').updateRule('no action'),
    belowTokens: tokenCount(),
    currency: p.enum(CURRENCIES),
    /** Smallest unit; null of reminders. */
    monthlyLimit: p.integer().nullable(),
    method: () => p.manyToOne(PaymentMethod).nullable().deleteRule('no action').updateRule('no action'),
    /** Nobody begins another attempt before. It is kept when an attempt fails. */
    claimedUntil: p.datetime().nullable(),
    /** Of the card, one after the other. */
    declines: p.integer().default(0),
    pause: p.enum(TOP_UP_PAUSES).nullable(),
    pausedAt: p.datetime().nullable(),
    changedAt: p.datetime(),
  },
  checks: [
    { name: 'auto_top_ups_begin_somewhere', expression: 'below_tokens > 0 and declines >= 0' },
    {
      name: 'auto_top_ups_charge_a_card_up_to_a_limit',
      expression: "way <> 'charge' or (method_id is not null and monthly_limit > 0 and monthly_limit <= 1000000000)",
    },
    { name: 'auto_top_ups_say_why_they_pause', expression: "(state = 'paused') = (pause is not null)" },
  ],
  indexes: [{ name: 'auto_top_ups_on', properties: ['claimedUntil'], where: "state = 'on'" }],
});
export type AutoTopUp = InferEntity<typeof AutoTopUp>;

/** A purchase that nobody pressed a button for. An account has one under way at most. */
export const TopUp = defineEntity({
  name: 'TopUp',
  tableName: 'top_ups',
  properties: {
    purchase: () => p.oneToOne(Purchase).owner().primary().deleteRule('no action').updateRule('no action'),
    account: () => p.manyToOne(Account).deleteRule('no action').updateRule('no action'),
    method: () => p.manyToOne(PaymentMethod).deleteRule('no action').updateRule('no action'),
    /** The provider's name of who is charged. */
    customer: p.text(),
    /** Null while it is under way. */
    outcome: p.enum(TOP_UP_OUTCOMES).nullable(),
    decline: p.enum(DECLINES).nullable(),
    madeAt: p.datetime(),
    endedAt: p.datetime().nullable(),
  },
  checks: [{ name: 'top_ups_end_with_an_outcome', expression: '(outcome is null) = (ended_at is null)' }],
  uniques: [{ name: 'top_ups_one_at_a_time', properties: ['account'], where: 'outcome is null' }],
  indexes: [sqlIndex('top_ups_of_account', 'top_ups (account_id, made_at desc)')],
});
export type TopUp = InferEntity<typeof TopUp>;
