import { z } from 'zod';
import { AUDIT_ACTIONS } from '../../domain/audit.ts';
import { MOST_REASON } from '../../domain/text.ts';
import { person } from './named-person.ts';
import { idText, instant, pageOf, pageQuery, text } from './fields.ts';

const figures = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .nullable()
  .meta({ description: 'Ids, codes and figures; never text of a chat' });

export const auditAction = z.enum(AUDIT_ACTIONS).meta({ id: 'AuditAction' });

export const auditItem = z
  .object({
    id: z.int().min(1),
    adminId: z
      .int()
      .nullable()
      .meta({ description: 'User id of the admin, or of who changed a key of theirs; null: through the CLI' }),
    admin: person.nullable().meta({ description: 'Who that is' }),
    about: person.nullable().meta({ description: 'Whom it was done to, where the entry says so' }),
    action: auditAction,
    target: z.string().meta({ example: 'user:1' }),
    reason: z.string().nullable(),
    before: figures,
    after: figures,
    requestId: z.string().nullable(),
    createdAt: instant,
  })
  .meta({ id: 'AuditEntry' });

export const auditQuery = z.strictObject({
  ...pageQuery,
  adminId: idText.optional(),
  action: auditAction.optional(),
  target: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .meta({ description: 'Whole, as the entries have it', example: 'user:1' }),
});

export const auditPage = pageOf(auditItem).meta({ id: 'AuditEntries' });

/**
 * Why an admin acts, in their own words. It is kept for ever, so neither e-mail addresses nor chat text belong in it.
 */
export const reason = text(MOST_REASON).meta({
  description: 'Why; 1 to 500 code points after trimming, kept in the audit log',
  example: 'outage of the provider',
});
