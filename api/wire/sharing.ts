import { z } from 'zod';
import { SHARE_DAYS } from '../../domain/sharing.ts';
import { instant, pageOf, pageQuery, uuid } from './fields.ts';

export const shareBody = z
  .strictObject({
    turnId: uuid.optional().meta({ description: 'The last turn of the copy; the newest answered one by default' }),
    expiresInDays: z.int().min(1).max(SHARE_DAYS.most).default(SHARE_DAYS.default),
  })
  .meta({ id: 'Share' });

export const shareLink = z
  .object({ shareId: uuid, turnId: uuid, createdAt: instant, expiresAt: instant })
  .meta({ id: 'ShareLink' });

export const createdShareLink = shareLink
  .extend({
    token: z.string().meta({ description: 'Told this once; only its hash is kept' }),
    path: z.string().meta({ description: 'The page of the copy, at this server' }),
  })
  .meta({ id: 'CreatedShareLink' });

export const shareLinksQuery = z.strictObject(pageQuery);
export const shareLinkPage = pageOf(shareLink).meta({ id: 'ShareLinks' });

export const sharedCopy = z
  .object({
    title: z.string().nullable(),
    createdAt: instant,
    messages: z.array(
      z.object({
        role: z.enum(['user', 'assistant']),
        content: z.string(),
        files: z
          .int()
          .min(1)
          .optional()
          .meta({ description: 'How many files the question shows; a copy has none of them' }),
      }),
    ),
  })
  .meta({ id: 'SharedCopy' });
