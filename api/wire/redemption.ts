import { z } from 'zod';
import { MAX_TOKENS_PER_ENTRY } from '../../domain/balance.ts';
import { MOST_CODES } from '../../domain/payments/redemption-code.ts';
import { reason } from './audit.ts';
import { person } from './named-person.ts';
import { instant, MOST_INTEGER, pageOf, pageQuery, tokens, uuid } from './fields.ts';

export const redemptionBody = z
  .strictObject({
    code: z.string().min(1).max(200).meta({
      description: 'In any case, with spaces, dashes or none; letters that look like ours are read as ours',
      example: '0123-4567-89ab-cdef',
    }),
  })
  .meta({ id: 'NewRedemption' });

export const redemption = z
  .object({ tokens: tokens.meta({ description: 'What the code gave' }), redeemedAt: instant })
  .meta({ id: 'Redemption' });

export const batchParams = z.object({ batchId: uuid });
export const codesQuery = z.strictObject(pageQuery);

export const batch = z
  .object({
    batchId: uuid,
    tokens: tokens.meta({ description: 'What each redemption gives' }),
    maxUses: z.int().min(1).meta({ description: 'How many accounts may redeem each code' }),
    expiresAt: instant.nullable(),
    reason: z.string(),
    madeBy: z.int().nullable().meta({ description: 'The admin’s user id' }),
    maker: person.nullable(),
    createdAt: instant,
    codes: z.int().min(1),
    uses: z.int().min(0).meta({ description: 'How often its codes were redeemed' }),
    revoked: z.int().min(0).meta({ description: 'How many of its codes are revoked' }),
  })
  .meta({ id: 'CodeBatch' });
export const batchPage = pageOf(batch).meta({ id: 'CodeBatches' });

export const batchBody = z
  .strictObject({
    count: z.int().min(1).max(MOST_CODES).default(1),
    tokens: z.int().min(1).max(MAX_TOKENS_PER_ENTRY),
    maxUses: z.int().min(1).max(MOST_INTEGER).default(1),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
    reason,
  })
  .meta({ id: 'NewCodeBatch' });

export const batchMade = batch
  .omit({ codes: true })
  .extend({ codes: z.array(z.string()).meta({ description: 'The codes: they are shown only now' }) })
  .meta({ id: 'CodeBatchMade' });

export const codePage = pageOf(
  z
    .object({
      codeId: z.int().min(1),
      hint: z.string().meta({ description: 'Its last four letters' }),
      uses: z.int().min(0),
      maxUses: z.int().min(1),
      revokedAt: instant.nullable(),
    })
    .meta({ id: 'RedemptionCode', description: 'The code itself is kept nowhere' }),
).meta({ id: 'RedemptionCodes' });

export const revokeBody = z
  .strictObject({ codeId: z.int().min(1).optional().meta({ description: 'Absent: all of the batch' }), reason })
  .meta({ id: 'RevokeCodes' });
