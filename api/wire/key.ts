import { z } from 'zod';
import { CAP_KINDS, KEY_SCOPES, KEY_STATES, OVERLAP_SECONDS } from '../../domain/api-keys.ts';
import { instant, pageOf, pageQuery, text, tokens } from './fields.ts';

const MOST_NAME = 100;
/** As many as the token domain of the database holds. */
const MOST_TOKENS = 100_000_000_000_000;

const name = text(MOST_NAME).meta({ description: 'Your own word for it; 1 to 100 code points', example: 'LibreChat' });
const scopes = z
  .array(z.enum(KEY_SCOPES))
  .min(1)
  .max(KEY_SCOPES.length)
  .refine((chosen) => new Set(chosen).size === chosen.length, 'must name each scope once')
  .meta({
    uniqueItems: true,
    description: '`chat`: POST under /api/chat; `v1`: everything under /v1; `read`: every GET that is yours',
  });
const models = z
  .array(z.string().min(1).max(200))
  .min(1)
  .max(100)
  .nullable()
  .meta({ description: 'Names of models on offer, to which the key is bound; null: all, now and later' });
const capTokens = z
  .int()
  .min(1)
  .max(MOST_TOKENS)
  .nullable()
  .meta({ description: 'Debits and live holds of the key never pass it; null: only the account’s ceiling holds' });
const capKind = z
  .enum(CAP_KINDS)
  .nullable()
  .meta({ description: '`period`: anew with each period of the account; `total`: for the key’s whole life' });
const requestsPerMinute = z
  .int()
  .min(1)
  .max(1_000_000)
  .nullable()
  .meta({ description: 'Sends of the key a minute, beside the account’s own limit; null: that one alone' });
const expiresAt = instant.nullable().meta({ description: 'When it ends by itself; null: when it is revoked' });

const capGoesWithKind = (cap: { capTokens?: number | null | undefined; capKind?: string | null | undefined }) =>
  cap.capTokens != null || cap.capKind == null;
const CAP_NEEDS_TOKENS = { path: ['capKind'], message: 'needs capTokens beside it' };

export const newKeyBody = z
  .strictObject({
    name,
    scopes: scopes.default([...KEY_SCOPES]),
    models: models.default(null),
    capTokens: capTokens.default(null),
    capKind: capKind.optional().meta({ description: 'Of `capTokens`; `period` by default' }),
    requestsPerMinute: requestsPerMinute.default(null),
    expiresAt: expiresAt.default(null),
    accountId: z.int().min(1).optional().meta({ description: 'Who pays; your own account, and today no other' }),
  })
  .refine(capGoesWithKind, CAP_NEEDS_TOKENS)
  .meta({ id: 'NewKey' });

export const keyChangeBody = z
  .strictObject({
    name: name.optional(),
    scopes: scopes.optional(),
    models: models.optional(),
    capTokens: capTokens.optional(),
    capKind: capKind.optional().meta({ description: 'Only together with `capTokens`' }),
    requestsPerMinute: requestsPerMinute.optional(),
    expiresAt: expiresAt.optional(),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'must change something')
  .refine(capGoesWithKind, CAP_NEEDS_TOKENS)
  .meta({ id: 'KeyChange' });

export const rotationBody = z
  .strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(OVERLAP_SECONDS.most)
      .default(OVERLAP_SECONDS.default)
      .meta({ description: 'How long the secret of now stays good beside the new one; 0: not at all' }),
  })
  .meta({ id: 'KeyRotation' });

export const key = z
  .object({
    keyId: z.int().min(1),
    name: z.string(),
    hint: z.string().meta({ description: 'Beginning and end of its secret', example: 'tk_AbC…9xYz' }),
    state: z.enum(KEY_STATES),
    scopes: z.array(z.enum(KEY_SCOPES)),
    models: z.array(z.string()).nullable(),
    accountId: z.int().meta({ description: 'Who pays' }),
    capTokens,
    capKind,
    requestsPerMinute,
    usedTokens: tokens.meta({ description: 'Debits of the account’s open period' }),
    turns: z.int().min(0).meta({ description: 'Turns that were debited in the open period' }),
    usedTotalTokens: tokens.meta({ description: 'Debits of the key’s whole life' }),
    heldTokens: tokens.meta({ description: 'Live holds' }),
    createdAt: instant,
    expiresAt,
    revokedAt: instant.nullable(),
    lastUsedAt: instant.nullable().meta({ description: 'To the minute' }),
    lastUsedFrom: z
      .string()
      .nullable()
      .meta({ description: 'The network from which it was used last, never the address', example: '203.0.113.0/24' }),
    previous: z
      .object({ hint: z.string(), endsAt: instant })
      .nullable()
      .meta({ description: 'The secret before the last rotation, while it is good' }),
  })
  .meta({ id: 'Key' });

export const mintedKey = key
  .extend({ secret: z.string().meta({ description: 'Told this once; only its hash is kept', example: 'tk_…' }) })
  .meta({ id: 'MintedKey' });

/** A key as an admin sees it. */
export const personKey = key
  .extend({
    name: z.string().nullable().meta({ description: 'null: the person signs in by it' }),
    scopes: z.array(z.enum(KEY_SCOPES)).nullable().meta({ description: 'null: whatever the person may' }),
    accountId: z.int().nullable().meta({ description: 'Who pays; null: the person’s own account' }),
  })
  .meta({ id: 'PersonKey' });
export const personKeyPage = pageOf(personKey).meta({ id: 'PersonKeys' });

export const keysQuery = z.strictObject({
  ...pageQuery,
  revoked: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .meta({ description: 'Those that were revoked, in place of the others' }),
});
export const keyPage = pageOf(key).meta({ id: 'Keys' });
