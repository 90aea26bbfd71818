import { z } from 'zod';
import { CURRENCIES } from '../../domain/payments/money.ts';
import { adminPurchase } from './admin-purchase.ts';
import { reason } from './audit.ts';
import { day, instant, pageOf, pageQuery } from './fields.ts';
import { amount } from './purchase.ts';

export const acceptBody = z
  .strictObject({ reason })
  .meta({ id: 'AcceptMismatch', description: 'What was paid is taken for the price, and its tokens are granted' });

export const disputesQuery = z.strictObject({
  ...pageQuery,
  open: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
});
export const disputePage = pageOf(
  adminPurchase
    .extend({
      withdrawnAmount: amount.meta({ description: 'What the dispute holds of the price now' }),
      isOpen: z.boolean(),
      disputedAt: instant.meta({ description: 'When it was first seen' }),
    })
    .meta({ id: 'Dispute' }),
).meta({ id: 'Disputes' });

export const revenueQuery = z
  .strictObject({ from: day.optional(), to: day.optional() })
  .meta({ description: 'Days on your wall clock, both included; the last 30 unless told, and 366 at most' });
const moved = z.int().meta({ description: 'In the smallest unit; negative where a movement was taken back' });
export const revenue = z
  .object({
    from: day,
    to: day,
    timeZone: z.string(),
    items: z.array(
      z
        .object({
          day,
          currency: z.enum(CURRENCIES),
          purchases: z.int().min(0).meta({ description: 'Purchases that were first seen paid that day' }),
          paid: moved,
          refunded: moved,
          withdrawn: moved.meta({ description: 'What disputes took, less what they gave back' }),
          net: moved.meta({ description: 'paid − refunded − withdrawn' }),
        })
        .meta({ id: 'DayRevenue' }),
    ),
  })
  .meta({ id: 'Revenue', description: 'Real money only: nothing of a test mode or of the demo shop' });
