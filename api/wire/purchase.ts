import { z } from 'zod';
import { BANK_CODES } from '../../domain/payments/banks.ts';
import { CURRENCIES } from '../../domain/payments/money.ts';
import { PAYMENT_METHODS, PROVIDERS } from '../../domain/payments/provider.ts';
import { PAYMENT_FAILURES, PURCHASE_STATES } from '../../domain/payments/purchase.ts';
import { REFUND_FAILURES, REFUND_STATES } from '../../domain/payments/refund.ts';
import { instant, pageOf, pageQuery, text, tokens, uuid } from './fields.ts';

export const amount = z
  .int()
  .min(0)
  .meta({ description: 'In the smallest unit of the currency: won, or US cents; tax included' });
const currency = z.enum(CURRENCIES);
const provider = z.enum(PROVIDERS).meta({ description: '`demo` is the shop of the embedded stack, where nobody pays' });
const method = z.enum(PAYMENT_METHODS);

export const packs = z
  .object({
    items: z.array(
      z
        .object({
          packId: z.string(),
          name: z.string(),
          tokens,
          bonusTokens: tokens.meta({ description: 'On top, free of charge; a refund takes them first' }),
          currency,
          amount,
          taxAmount: amount
            .nullable()
            .meta({ description: 'The value added tax inside the amount; null where it is not known' }),
          estimatedTurns: z
            .int()
            .min(0)
            .meta({ description: 'About how many of your turns its tokens are, by the mean of the last 20' }),
          providers: z.array(provider).meta({ description: 'Who takes the money; empty: it cannot be bought now' }),
        })
        .meta({ id: 'Pack' }),
    ),
  })
  .meta({ id: 'Packs', description: 'Empty where nothing is sold' });

export const purchaseHeaders = z.object({
  'Idempotency-Key': z.string().meta({
    description: '1 to 255 visible ASCII characters; the same key is the same purchase, and for another pack it is 409',
  }),
});

export const purchaseBody = z
  .strictObject({
    packId: z.string().min(1).max(40).meta({ example: 'small' }),
    provider: provider.meta({ example: 'demo' }),
    method: method.optional(),
  })
  .meta({ id: 'NewPurchase' });

const checkout = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('redirect'), url: z.url().meta({ description: 'The browser goes there to pay' }) }),
    z.object({
      kind: z.literal('toss'),
      clientKey: z.string(),
      customerKey: z.string(),
      orderId: z.string(),
      amount,
      currency,
      orderName: z.string(),
      scriptUrl: z.url().meta({ description: 'Where the payment window comes from' }),
    }),
  ])
  .meta({ id: 'Checkout' });

export const purchaseParams = z.object({ purchaseId: uuid });

export const refund = z
  .object({
    refundId: uuid,
    amount,
    state: z.enum(REFUND_STATES),
    failure: z.enum(REFUND_FAILURES).nullable(),
    createdAt: instant,
    endedAt: instant.nullable(),
  })
  .meta({ id: 'Refund' });

export const purchase = z
  .object({
    purchaseId: uuid,
    packId: z.string(),
    name: z.string(),
    tokens,
    bonusTokens: tokens,
    currency,
    amount,
    taxAmount: amount.nullable(),
    provider,
    method: method.nullable(),
    livemode: z.boolean().meta({ description: 'Whether real money moves' }),
    automatic: z.boolean().meta({ description: 'Whether auto top-up made it, by a kept card' }),
    state: z.enum(PURCHASE_STATES),
    failure: z.enum(PAYMENT_FAILURES).nullable(),
    receiptUrl: z.url().nullable(),
    cashReceiptUrl: z.url().nullable().meta({ description: 'The receipt for the Korean tax office (현금영수증)' }),
    createdAt: instant,
    paidAt: instant.nullable(),
    expiresAt: instant,
    dueAt: instant.nullable().meta({ description: 'Until when the deposit may come' }),
  })
  .meta({ id: 'Purchase' });

/** Of a refund: whether it must say to which account it goes, and to which ones it can. */
export const refundsTo = {
  asksForRefundAccount: z.boolean().meta({ description: 'Whether a refund must say to which bank account it goes' }),
  refundBanks: z
    .array(z.object({ code: z.enum(BANK_CODES), name: z.string() }).meta({ id: 'Bank' }))
    .meta({ description: 'Banks to which it can go, in the reader’s language; empty where none is asked for' }),
};

export const purchaseDetail = purchase
  .extend({
    refundable: z
      .object({ tokens, amount })
      .meta({ description: 'What the buyer may have back now: unspent tokens, within seven days' }),
    refunds: z.array(refund),
    ...refundsTo,
    deposit: z
      .object({ bank: z.string(), accountNumber: z.string(), holder: z.string().nullable() })
      .nullable()
      .meta({ id: 'DepositAccount', description: 'Where the buyer pays, while their deposit is awaited' }),
  })
  .meta({ id: 'PurchaseDetail' });

export const purchaseStarted = z
  .object({ purchaseId: uuid, state: z.enum(PURCHASE_STATES), checkout })
  .meta({ id: 'PurchaseStarted' });

export const purchasesQuery = z.object(pageQuery);
export const purchasePage = pageOf(purchase).meta({ id: 'PurchasePage' });

export const confirmBody = z
  .strictObject({
    paymentKey: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[\x21-\x7e]+$/),
    amount: z.int().min(0).max(1_000_000_000),
  })
  .meta({ id: 'ConfirmPurchase' });

export const refundAccount = z
  .strictObject({
    bank: z.enum(BANK_CODES).meta({ description: 'The bank’s code at Toss Payments, such as `88`' }),
    accountNumber: z.string().regex(/^[0-9]{6,20}$/, 'digits only'),
    holderName: text(60),
  })
  .meta({ id: 'RefundAccount', description: 'Where a deposit is paid back to' });
const refunding = { reason: text(200).optional(), refundAccount: refundAccount.optional() };

export const refundBody = z
  .union([
    z.strictObject({ tokens: z.int().min(1).max(1_000_000_000_000), ...refunding }),
    z.strictObject({ all: z.literal(true), ...refunding }),
  ])
  .meta({ id: 'NewRefund', description: 'Some of the tokens, or all that may be given back' });
