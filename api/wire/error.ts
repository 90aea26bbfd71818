import { z } from 'zod';
import { CAP_KINDS } from '../../domain/api-keys.ts';
import { ERROR_CODES } from '../../domain/errors.ts';
import { instant, tokens, uuid } from './fields.ts';

export const errorCode = z
  .enum(ERROR_CODES)
  .meta({ id: 'ErrorCode', description: 'The closed list of all error codes' });

/** Every error has this flat shape. Some codes add fields. */
export const errorBody = z
  .looseObject({
    code: errorCode,
    message: z
      .string()
      .meta({ description: 'A sentence in the reader’s language (Accept-Language: ko by default, or en)' }),
    requestId: z.string(),
  })
  .meta({ id: 'Error' });

const because = z.literal('own_instructions').optional().meta({
  description: 'Your own instructions alone are in the way: with shorter ones, or none, it would be let in',
});

export const refusalBody = errorBody
  .extend({
    because,
    remainingTokens: tokens,
    recommendedAction: z.literal('PURCHASE_TOKENS'),
    purchaseUrl: z.url(),
    resetsAt: instant,
  })
  .meta({ id: 'Refusal', description: 'Refused: no tokens left. Nothing is bound; the same key may be sent again.' });

export const keyRefusalBody = errorBody
  .extend({
    because,
    keyId: z.int(),
    capTokens: tokens,
    capKind: z.enum(CAP_KINDS),
    usedTokens: tokens,
    remainingTokens: tokens,
    resetsAt: instant.nullable().meta({ description: 'When the cap begins anew; null: never' }),
  })
  .meta({ id: 'KeyRefusal', description: 'Refused by the key’s own cap. Nothing is bound.' });

export const spentBody = z.union([refusalBody, keyRefusalBody]);

export const failedTurnBody = errorBody
  .extend({
    turnId: uuid,
    conversationId: uuid,
    retryable: z.boolean(),
  })
  .meta({
    id: 'FailedTurn',
    description: 'The turn failed; nothing was charged. `retryable`: POST …/retry runs it again.',
  });
