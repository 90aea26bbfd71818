import { z } from 'zod';
import { LOCALES } from '../../domain/messages.ts';
import { LEVELS } from '../../domain/policy.ts';
import { instant, pageOf, tokens } from './fields.ts';

export const usageState = z
  .object({
    period: z.object({ label: z.string().meta({ example: '2026-11' }), start: instant, end: instant }),
    allowanceTokens: tokens,
    purchasedTokens: tokens,
    totalAvailable: tokens,
    usedTokens: tokens,
    heldTokens: tokens.meta({ description: 'Set aside for turns in progress' }),
    remainingTokens: tokens,
    usagePercent: z.number().min(0).meta({ description: 'Floored to 0.01' }),
    level: z.enum(LEVELS),
    canSend: z.boolean(),
    estimatedTurns: z.int().min(0),
    resetsAt: instant,
    depletesAt: instant.nullable().meta({
      description:
        'When the tokens run out at the pace of the last 7 days; null when they last until the reset, or with less than 24 hours of data',
    }),
    suspended: z.boolean().meta({
      description: 'An admin has suspended the account: nothing is admitted, whatever `canSend` says of its tokens',
    }),
    purchaseUrl: z.string(),
  })
  .meta({ id: 'UsageState' });

export const testUsageBody = z
  .strictObject({
    userId: z.int().min(1),
    usagePercent: z.number().min(0).max(105),
  })
  .meta({ id: 'TestUsage' });

export const me = z
  .object({
    userId: z.int(),
    email: z.string().nullable(),
    role: z.enum(['user', 'admin']),
    timeZone: z.string(),
    locale: z.enum(LOCALES),
    eventId: z.string().meta({
      description: '`Last-Event-ID` of a feed (`GET /api/events`) that tells whatever changes after this answer',
      example: '1795468800000000-12',
    }),
  })
  .meta({ id: 'Me' });

export const updateMeBody = z
  .strictObject({
    timeZone: z.string().min(1).max(100).optional().meta({
      description:
        'The name of an IANA time zone, spelt as there; a link is kept as the zone that it means (Asia/Calcutta as Asia/Kolkata). The period that has begun keeps its end',
      example: 'Asia/Seoul',
    }),
    locale: z.enum(LOCALES).optional(),
  })
  .refine(
    (change) => change.timeZone !== undefined || change.locale !== undefined,
    'nothing to change: send timeZone or locale',
  )
  .meta({ id: 'UpdateMe' });

const thousandths = z.int().min(1).meta({ description: 'Thousandths of a metered token for one of the provider’s' });
export const rateVersion = z.int().min(1).meta({
  description: 'A model’s rates are numbered from 1; a turn is debited by the version its hold was made with',
});

export const modelItem = z
  .object({
    name: z.string(),
    default: z.boolean(),
    vision: z.boolean().meta({ description: 'Whether a question may show it images; texts are read by every model' }),
    contextWindow: tokens,
    maxOutputTokens: tokens,
    defaultOutputTokens: tokens,
    historyTokens: tokens,
    rate: z.object({ version: rateVersion, input: thousandths, cachedInput: thousandths, output: thousandths }),
  })
  .meta({ id: 'Model' });

export const modelPage = pageOf(modelItem).meta({ id: 'Models' });
