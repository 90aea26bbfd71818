import { z } from 'zod';
import { CURRENCIES, MOST_AMOUNT } from '../../domain/payments/money.ts';
import { PROVIDERS } from '../../domain/payments/provider.ts';
import { TOP_UP_PAUSES, TOP_UP_STATES, TOP_UP_WAYS } from '../../domain/payments/top-up.ts';
import { instant, tokens, uuid } from './fields.ts';
import { amount } from './purchase.ts';

export const paymentMethods = z
  .object({
    canAdd: z.boolean().meta({ description: 'Whether a provider here keeps cards' }),
    items: z.array(
      z
        .object({
          paymentMethodId: uuid,
          provider: z.enum(PROVIDERS),
          brand: z.string().meta({ description: 'The card’s network, such as `visa`' }),
          last4: z.string(),
          expires: z.string().meta({ description: 'The last month in which it is good', example: '2028-04' }),
          isRefused: z
            .boolean()
            .meta({ description: 'Its bank refuses it: it pays automatically again once something was bought' }),
          createdAt: instant,
        })
        .meta({ id: 'PaymentMethod' }),
    ),
  })
  .meta({ id: 'PaymentMethods', description: 'Cards that may be charged without their owner, the newest first' });

export const paymentMethodStarted = z
  .object({
    paymentMethodId: uuid,
    checkout: z.object({
      kind: z.literal('redirect'),
      url: z.url().meta({ description: 'The browser goes there to give the card' }),
    }),
  })
  .meta({ id: 'PaymentMethodStarted' });

export const paymentMethodBody = z
  .strictObject({ provider: z.literal('stripe').default('stripe') })
  .meta({ id: 'NewPaymentMethod' });

export const paymentMethodParams = z.object({ paymentMethodId: uuid });

const currency = z.enum(CURRENCIES);
const state = z.enum(TOP_UP_STATES).meta({ description: '`paused`: it needs you, `pausedBecause` says why' });
const way = z
  .enum(TOP_UP_WAYS)
  .meta({ description: '`charge` buys with a kept card; `remind` sends a mail with a link to the pack' });

export const autoTopUp = z
  .object({
    state,
    ways: z.array(way).meta({ description: 'What can be chosen here; empty where nothing is sold' }),
    way: way.nullable(),
    packId: z.string().nullable(),
    belowTokens: tokens.nullable(),
    monthlyLimit: amount.nullable().meta({ description: 'The most that is charged in a month, in the smallest unit' }),
    currency: currency.nullable(),
    paymentMethodId: uuid.nullable(),
    spentThisMonth: amount,
    pausedBecause: z.enum(TOP_UP_PAUSES).nullable(),
    nextTryAt: instant.nullable().meta({ description: 'When a card that was declined is asked again' }),
  })
  .meta({ id: 'AutoTopUp' });

const on = { packId: z.string().min(1).max(40), belowTokens: z.int().min(1).max(1_000_000_000_000) };

export const autoTopUpBody = z
  .union([
    z.strictObject({ enabled: z.literal(false) }),
    z.strictObject({
      enabled: z.literal(true),
      way: z.literal('charge').default('charge'),
      ...on,
      monthlyLimit: z
        .int()
        .min(1)
        .max(MOST_AMOUNT)
        .meta({ description: 'In the smallest unit of the pack’s currency' }),
      paymentMethodId: uuid,
    }),
    z.strictObject({ enabled: z.literal(true), way: z.literal('remind'), ...on }),
  ])
  .meta({ id: 'SetAutoTopUp', description: 'The threshold must be below the pack’s tokens' });
