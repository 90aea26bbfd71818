import { z } from 'zod';
import { PROVIDERS } from '../../domain/payments/provider.ts';
import { LOOK_SOURCES, PURCHASE_STATES } from '../../domain/payments/purchase.ts';
import { reason } from './audit.ts';
import { idText, instant, pageOf, pageQuery } from './fields.ts';
import { person } from './named-person.ts';
import { amount, purchase, refund, refundAccount, refundsTo } from './purchase.ts';

export const adminPurchase = purchase
  .extend({ userId: z.int(), person: person.nullable() })
  .meta({ id: 'AdminPurchase' });

export const adminPurchasesQuery = z.strictObject({
  ...pageQuery,
  state: z.enum(PURCHASE_STATES).optional(),
  provider: z.enum(PROVIDERS).optional(),
  userId: idText.optional(),
});
export const adminPurchasePage = pageOf(adminPurchase).meta({ id: 'AdminPurchases' });

/** Money that a provider took and that is no purchase's. */
const unmatchedPayment = z
  .object({
    provider: z.enum(PROVIDERS),
    paymentId: z.string().meta({ description: 'The provider’s own name of it' }),
    orderId: z.string().nullable().meta({ description: 'The purchase that it says it is of' }),
    amount: z.int().min(0).meta({ description: 'In the smallest unit of the currency' }),
    currency: z.string(),
    livemode: z.boolean(),
    takenAt: instant,
    foundAt: instant,
  })
  .meta({ id: 'UnmatchedPayment' });
export const unmatchedQuery = z.strictObject(pageQuery);
export const unmatchedPage = pageOf(unmatchedPayment).meta({ id: 'UnmatchedPayments' });

const snapshot = z
  .object({
    seq: z.int().min(1),
    state: z.enum(PURCHASE_STATES),
    paid: amount,
    refunded: amount,
    withdrawn: amount.meta({ description: 'What disputes hold of it' }),
    source: z.enum(LOOK_SOURCES).meta({ description: 'What made us look' }),
    seenAt: instant,
  })
  .meta({ id: 'PaymentSnapshot' });

const booking = z
  .object({
    entryId: z.int(),
    seq: z.int().meta({ description: 'The look that it follows' }),
    tokens: z.int().meta({ description: 'Negative: taken back' }),
    createdAt: instant,
  })
  .meta({ id: 'PurchaseBooking' });

const hint = z
  .object({ type: z.string(), times: z.int().min(1), receivedAt: instant })
  .meta({ id: 'PaymentHint', description: 'A webhook that made us look; nothing of its content is kept' });

export const adminPurchaseDetail = adminPurchase
  .extend({
    lookedAt: instant.nullable(),
    acceptedAmount: amount.nullable().meta({ description: 'What an admin has taken for the price; null: the price' }),
    acceptableAmount: amount
      .nullable()
      .meta({ description: 'What was paid instead of the price and may be taken for it; null where that is not so' }),
    keptAmount: amount.meta({
      description: 'What of the price is with us by the last look: the most that can go back',
    }),
    ...refundsTo,
    snapshots: z.array(snapshot),
    bookings: z.array(booking),
    refunds: z.array(
      refund
        .extend({ reason: z.string(), requestedBy: z.int().nullable(), requester: person.nullable() })
        .meta({ id: 'AdminRefund', description: '`requestedBy`: the user id of who asked, the buyer or an admin' }),
    ),
    hints: z.array(hint).meta({ description: 'The newest 100' }),
  })
  .meta({ id: 'AdminPurchaseDetail' });

export const adminRefundBody = z
  .strictObject({
    amount: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .optional()
      .meta({ description: 'In the smallest unit of the currency; without it all that is with us' }),
    reason,
    refundAccount: refundAccount.optional(),
  })
  .meta({ id: 'NewAdminRefund', description: 'What the tokens lack for it becomes debt' });
