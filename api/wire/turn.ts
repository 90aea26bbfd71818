import { z } from 'zod';
import { FILE_LIMITS } from '../../domain/files/file.ts';
import { LEVELS } from '../../domain/policy.ts';
import { RESTART_REASONS } from '../../domain/stream-events.ts';
import { TURN_STATES } from '../../domain/turn.ts';
import { errorCode } from './error.ts';
import { instant, message, MOST_INTEGER, tokens, uuid } from './fields.ts';

export const turnState = z.enum(TURN_STATES).meta({ id: 'TurnState' });

export const sendBody = z
  .strictObject({
    message,
    conversationId: uuid.optional().meta({ description: 'Without it a new conversation begins' }),
    parentTurnId: uuid.nullable().optional().meta({
      description:
        'The turn of the conversation that this one follows, whose line is its prompt. Without it the newest admitted turn; null: none, a new first question',
    }),
    files: z
      .array(uuid)
      .max(FILE_LIMITS.perTurn)
      .refine((ids) => new Set(ids).size === ids.length, 'must name each file once')
      .optional()
      .meta({ description: 'Ids of POST /api/files, in the order in which the question shows them' }),
    turnId: uuid
      .optional()
      .meta({ description: 'Your own id of the turn; sending it again joins or repeats the same turn' }),
    model: z.string().min(1).max(100).optional().meta({ description: 'One of GET /api/models; the first by default' }),
    maxOutputTokens: z.int().min(1).max(MOST_INTEGER).optional().meta({
      description: 'Asked limit of the answer; the smaller of it, the model’s maximum and what still fits counts',
    }),
  })
  .refine(({ conversationId, parentTurnId }) => conversationId !== undefined || typeof parentTurnId !== 'string', {
    path: ['parentTurnId'],
    message: 'a new conversation has no turn to follow',
  })
  .meta({ id: 'Send' });

export const usage = z
  .object({
    promptTokens: tokens,
    completionTokens: tokens,
    totalTokens: tokens,
    debitedTokens: tokens,
    estimated: z.boolean().meta({ description: 'The provider sent no usage: counted by us' }),
  })
  .meta({ id: 'Usage' });

export const warning = z
  .object({
    level: z.enum(LEVELS),
    message: z.string(),
    remainingTokens: tokens,
    estimatedTurns: z.int().min(0),
  })
  .meta({ id: 'Warning', description: 'From 90 % on, as the account stood after this answer was debited' });

export const turnError = z
  .object({ code: errorCode, message: z.string(), retryable: z.boolean() })
  .meta({ id: 'TurnError' });

export const turn = z
  .object({
    turnId: uuid,
    conversationId: uuid,
    state: turnState,
    model: z.string(),
    attempt: z.int().min(0).meta({ description: 'Ordinal of the newest model call, 0 before the first' }),
    content: z.string().optional().meta({ description: 'The answer of a completed or stopped turn' }),
    usage: usage.optional(),
    warning: warning.optional(),
    finishReason: z.enum(['stop', 'length']).optional(),
    maxOutputTokens: z
      .int()
      .min(1)
      .meta({ description: 'The limit the model is given; before admission, what is asked for' }),
    error: turnError.optional(),
    instructions: z
      .object({ person: z.int().min(1).nullable(), conversation: z.int().min(1).nullable() })
      .optional()
      .meta({
        description:
          'The versions of your own instructions that it was judged with, and runs with: of all conversations, and of this one',
      }),
    createdAt: instant,
    endedAt: instant.optional(),
    erasedAt: instant.optional().meta({ description: 'Its conversation was deleted: its text is gone for good' }),
  })
  .meta({ id: 'Turn' });
export type TurnBody = z.infer<typeof turn>;

/** The 202 of `Prefer: respond-async`. */
export const acceptedBody = z.object({ turnId: uuid, conversationId: uuid, state: turnState }).meta({ id: 'Accepted' });
/** The 202 of a plain send that has waited 120 s, and of a stop. */
export const pendingBody = z.object({ turnId: uuid, state: turnState }).meta({ id: 'Pending' });

const ending = z.object({ turn });
/** `data` of each event of a turn's stream. */
export const streamEvents = {
  accepted: z.object({ turnId: uuid, conversationId: uuid, model: z.string() }).meta({ id: 'AcceptedEvent' }),
  delta: z.object({ text: z.string(), attempt: z.int().min(1) }).meta({ id: 'DeltaEvent' }),
  restarted: z
    .object({ attempt: z.int().min(0), reason: z.enum(RESTART_REASONS) })
    .meta({ id: 'RestartedEvent', description: 'Drop the text so far' }),
  completed: ending.meta({ id: 'CompletedEvent' }),
  stopped: ending.meta({ id: 'StoppedEvent' }),
  failed: ending.meta({ id: 'FailedEvent' }),
};
