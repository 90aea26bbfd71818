import { z } from 'zod';
import { MAX_TOKENS_PER_ENTRY } from '../../domain/balance.ts';
import { reason } from './audit.ts';
import { idText, instant } from './fields.ts';

export const userParams = z.object({ userId: idText });
export const grantParams = z.object({ entryId: idText });

export const grantBody = z
  .strictObject({ tokens: z.int().min(1).max(MAX_TOKENS_PER_ENTRY), reason })
  .meta({ id: 'Grant' });

export const grantHeaders = z.object({
  'Idempotency-Key': z.string().meta({
    description:
      '1 to 255 visible ASCII characters; the same key with the same body is booked once and gets the same answer, with another body it is 409',
  }),
});

export const grantEntry = z
  .object({
    entryId: z.int().min(1).meta({ description: 'Of the ledger' }),
    userId: z.int().min(1),
    tokens: z.int().min(1).meta({ description: 'Granted, or taken back' }),
    reason: z.string(),
    reversesId: z
      .int()
      .min(1)
      .nullable()
      .meta({ description: '`entryId` of the grant that is taken back; null for a grant' }),
    createdAt: instant,
  })
  .meta({ id: 'GrantEntry' });
