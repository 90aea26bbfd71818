import { z } from 'zod';
import { LOCALES } from '../../domain/messages.ts';
import { PEOPLE_ORDERS } from '../../domain/people.ts';
import { SCHEDULE_KINDS } from '../../domain/schedules.ts';
import { usageState } from './account.ts';
import { reason } from './audit.ts';
import { idText, instant, pageOf, pageQuery, tokens, uuid } from './fields.ts';
import { person } from './named-person.ts';
import { who } from './person.ts';

export const adminUser = person
  .extend({
    issuer: z
      .string()
      .nullable()
      .meta({ description: 'The OIDC issuer that vouches for them; null: a person with a key of ours' }),
    subject: z.string().nullable().meta({ description: 'Who they are there' }),
    role: z.enum(['user', 'admin']).meta({ description: 'By an issuer: what their newest token said' }),
    locale: z.enum(LOCALES),
    timeZone: z.string(),
    suspendedAt: instant.nullable().meta({ description: 'Since when sends, retries and replays are refused' }),
    createdAt: instant,
    lastSeenAt: instant.nullable().meta({ description: 'To five minutes; null: not since this is written down' }),
    usedTokens: tokens.meta({ description: 'Of the open period' }),
    usagePercent: usageState.shape.usagePercent,
    level: usageState.shape.level,
  })
  .meta({ id: 'AdminUser' });

export const adminUsersQuery = z.strictObject({
  ...pageQuery,
  userId: idText.optional(),
  email: z
    .string()
    .min(1)
    .max(320)
    .regex(/^[^\0]+$/)
    .refine((text) => text.isWellFormed(), 'must be well-formed text')
    .optional()
    .meta({ description: 'What it begins with, in any case' }),
  who: who.optional(),
  role: z.enum(['user', 'admin']).optional(),
  suspended: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  sort: z
    .enum(PEOPLE_ORDERS)
    .default('number')
    .meta({ description: '`-` is the other way round; a cursor is good for its own order only' }),
});

export const adminUserPage = pageOf(adminUser).meta({ id: 'AdminUsers' });

const liveHold = z
  .object({
    holdId: uuid,
    turnId: uuid,
    tokens,
    createdAt: instant,
    expiresAt: instant.nullable().meta({ description: 'null: an answer is stored, it waits for settle' }),
  })
  .meta({ id: 'LiveHold' });

const delta = z.int();
const ledgerEntry = z
  .object({
    entryId: z.int(),
    kind: z.enum(['debit', 'grant', 'reversal', 'adjustment']),
    tokens: delta.meta({ description: 'Signed: a debit or grant is positive, a reversal negative' }),
    period: z.string().meta({ example: '2026-11' }),
    turnId: uuid.nullable(),
    reversesId: z.int().nullable().meta({ description: 'The entry it takes back' }),
    leftTokens: tokens.nullable().meta({ description: 'What is left of a grant to take back; null for all else' }),
    reason: z.string().nullable(),
    purchasedDelta: delta,
    debtDelta: delta,
    allowanceDelta: delta.meta({ description: 'Of what is left of the allowance' }),
    overageDelta: delta,
    estimated: z.boolean(),
    overHold: z.boolean(),
    ceilingMoved: z.boolean(),
    createdAt: instant,
  })
  .meta({ id: 'LedgerEntry' });

export const adminUserDetailQuery = z.strictObject(pageQuery);

export const adminUserDetail = adminUser
  .extend({
    usage: usageState,
    holds: z.array(liveHold).meta({ description: 'Live now, oldest first, at most 100' }),
    schedules: z
      .array(
        z.object({
          kind: z.enum(SCHEDULE_KINDS),
          timing: z.string().meta({ example: 'monthly on day 1 at 04:05 Asia/Seoul' }),
          nextAt: instant.nullable().meta({ description: 'Its next run; null: none will come' }),
        }),
      )
      .nullable()
      .meta({ description: 'Armed now in Temporal; null when it does not say within 2 s' }),
    ledger: pageOf(ledgerEntry).meta({
      description: 'Newest first; `limit` and `cursor` of this call page through it',
    }),
  })
  .meta({ id: 'AdminUserDetail' });

export const suspensionBody = z.strictObject({ reason }).meta({ id: 'Suspension' });

export const suspendedUser = adminUser
  .extend({
    stopping: z
      .array(uuid)
      .meta({ description: 'Running turns that were asked to stop; each is charged for what has come' }),
  })
  .meta({ id: 'SuspendedUser' });
