import { z } from 'zod';
import { CHANNELS } from '../../domain/channels/kinds.ts';
import {
  DELIVERY_STATES,
  RESEND_LIMIT,
  RESEND_RATE,
  RESEND_STATES,
  SENT_CHANNELS,
} from '../../domain/channels/resend.ts';
import { isInRange, RANGE } from '../../domain/period.ts';
import { reason } from './audit.ts';
import { idText, instant, pageOf, pageQuery, uuid } from './fields.ts';
import { person } from './named-person.ts';

const kind = z
  .string()
  .regex(/^[a-z]+\.[a-z_]+$/)
  .max(100)
  .meta({ description: 'What it tells of', example: 'usage.alert' });
const time = instant
  .refine((text) => isInRange(Date.parse(text)), `must be ${RANGE}`)
  .transform((text) => Date.parse(text));
const count = z.int().min(0);

export const deliveriesQuery = z.strictObject({
  ...pageQuery,
  state: z.enum(DELIVERY_STATES).optional(),
  channel: z.enum(CHANNELS).optional(),
  kind: kind.optional(),
  userId: idText.optional(),
  from: time.optional().meta({ description: `Last sent or asked for at or after; ${RANGE}` }),
  to: time.optional().meta({ description: `Last sent or asked for before; ${RANGE}` }),
  resendId: uuid.optional().meta({ description: 'Those of one resend' }),
});

export const delivery = z
  .object({
    deliveryId: uuid.meta({ description: 'Also the name of its mail, and the `webhook-id` of its calls' }),
    userId: z.int(),
    person: person.nullable(),
    kind,
    channel: z.enum(CHANNELS),
    state: z.enum(DELIVERY_STATES),
    to: z.string().meta({ description: 'The address, or the webhook’s host; empty in the app, and once erased' }),
    attempts: count,
    error: z.string().nullable().meta({ description: 'Why it failed for good, in a word of ours' }),
    answer: z.string().nullable().meta({ description: 'The code of the last answer, never its words' }),
    createdAt: instant,
    queuedAt: instant.meta({ description: 'When it was last asked for' }),
    dueAt: instant.nullable().meta({ description: 'When it is tried next' }),
    endedAt: instant.nullable(),
    workflow: z.object({ workflowId: z.string(), url: z.url().nullable() }),
  })
  .meta({ id: 'AdminDelivery' });
export const deliveryPage = pageOf(delivery).meta({ id: 'AdminDeliveries' });
export const deliveryParams = z.object({ deliveryId: uuid });
export const resendOneBody = z.strictObject({ reason }).meta({ id: 'ResendOne' });

const filter = z
  .strictObject({
    channel: z.enum(SENT_CHANNELS).optional(),
    kind: kind.optional(),
    userId: z.int().min(1).optional(),
    from: time.optional(),
    to: time.optional(),
  })
  .meta({ id: 'DeliveryFilter', description: 'Which of the failed ones; an absent part means any' });

export const resendBody = z
  .strictObject({
    filter,
    reason,
    dryRun: z.boolean().default(false).meta({ description: 'Only say how many' }),
    ratePerSecond: z.int().min(1).max(RESEND_RATE.most).default(RESEND_RATE.default),
    limit: z.int().min(1).max(RESEND_LIMIT.most).default(RESEND_LIMIT.default),
    confirm: count.optional().meta({ description: 'The count of the dry run, repeated; needed for more than one' }),
  })
  .meta({ id: 'ResendMany' });

export const resendPlan = z
  .object({ count: count.meta({ description: 'What would be sent, after `limit`' }), matched: count })
  .meta({ id: 'ResendPlan' });
export const resendStarted = z.object({ resendId: uuid, count }).meta({ id: 'ResendStarted' });

export const resend = z
  .object({
    resendId: uuid,
    adminId: z.int().nullable(),
    admin: person.nullable(),
    state: z.enum(RESEND_STATES).meta({ description: '`completed`: all are begun; each goes on by itself' }),
    reason: z.string(),
    filter: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .meta({ description: 'As asked; instants in milliseconds' }),
    ratePerSecond: z.int(),
    count,
    progress: z.object({
      waiting: count.meta({ description: 'Not begun' }),
      sending: count.meta({ description: 'Begun, and not over' }),
      delivered: count,
      failed: count,
    }),
    createdAt: instant,
    endedAt: instant.nullable(),
    workflow: z.object({ workflowId: z.string(), url: z.url().nullable() }),
  })
  .meta({ id: 'Resend' });
export const resendPage = pageOf(resend).meta({ id: 'Resends' });
export const resendsQuery = z.strictObject(pageQuery);
export const resendParams = z.object({ resendId: uuid });
export const cancelResendBody = z.strictObject({ reason: reason.optional() }).meta({ id: 'CancelResend' });
