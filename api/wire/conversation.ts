import { z } from 'zod';
import { RATINGS } from '../../domain/feedback.ts';
import { isLongerThan } from '../../domain/text.ts';
import { shownFile } from './file.ts';
import { instant, pageOf, pageQuery, title, uuid } from './fields.ts';
import { turnError, turnState, usage } from './turn.ts';

export const createConversationBody = z.strictObject({ title: title.optional() }).meta({ id: 'CreateConversation' });

export const updateConversationBody = z
  .strictObject({ title: title.optional(), archived: z.boolean().optional(), pinned: z.boolean().optional() })
  .refine(
    (change) => Object.values(change).some((value) => value !== undefined),
    'nothing to change: send title, archived or pinned',
  )
  .meta({ id: 'UpdateConversation' });

export const conversation = z
  .object({
    conversationId: uuid,
    title: z.string().nullable().meta({
      description:
        'Untitled: its first question without code, Markdown and greetings, at most 40 characters, with … where it was cut',
    }),
    archived: z.boolean(),
    pinned: z.boolean(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Conversation' });

export const found = z
  .object({
    turnId: uuid,
    sequence: z.int().min(1),
    role: z.enum(['user', 'assistant']),
    before: z.string(),
    match: z.string(),
    after: z.string(),
  })
  .meta({
    id: 'Found',
    description: 'The newest place where it was said: `before`, `match`, `after` are one piece of text',
  });

const listedConversation = conversation
  .extend({ found: found.optional().meta({ description: 'Of a search; absent when only the title has it' }) })
  .meta({ id: 'ListedConversation' });

export const conversationsQuery = z.strictObject({
  ...pageQuery,
  search: z
    .string()
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'must be well-formed text')
    .transform((value) => value.normalize('NFC'))
    .refine((value) => !isLongerThan(value, 200), 'must have at most 200 characters')
    .optional()
    .meta({
      override: { maxLength: 200 },
      description: 'Part of a title, a question or an answer, in any case and form of Unicode',
    }),
  archived: z.enum(['true', 'false', 'all']).default('false'),
  pinned: z.enum(['true', 'false', 'all']).default('all'),
});

export const messagesQuery = z.strictObject({
  ...pageQuery,
  order: z
    .enum(['asc', 'desc'])
    .default('asc')
    .meta({ description: 'desc: the end of the transcript first, going back; a cursor belongs to its order' }),
  branch: z
    .union([z.literal('newest'), uuid])
    .optional()
    .meta({
      description:
        'Only one line: that of the newest turn, or that through this turn, on to the newest at each fork. Without it all turns',
    }),
});

const place = {
  number: z.int().min(1),
  count: z.int().min(1),
  previousTurnId: uuid.nullable(),
  nextTurnId: uuid.nullable(),
};

export const messageItem = z
  .object({
    turnId: uuid,
    sequence: z
      .int()
      .min(1)
      .meta({ description: 'Number of the turn in its conversation: the order of the transcript' }),
    parentTurnId: uuid.nullable().meta({ description: 'The turn that it follows; null: it is a first question' }),
    branch: z
      .object({
        ...place,
        questions: z
          .object(place)
          .meta({ description: 'Among the different questions there, each with the newest turn that asks it' }),
        answers: z.object(place).meta({ description: 'Among the turns that ask the same question' }),
      })
      .meta({
        id: 'Branch',
        description: 'Where the turn stands among those that follow the same turn, in the order of their numbers',
      }),
    role: z.enum(['user', 'assistant']),
    content: z.string(),
    files: z.array(shownFile).optional().meta({ description: 'What a question shows, in its order' }),
    state: turnState,
    model: z.string(),
    attempt: z.int().min(0),
    usage: usage.optional().meta({ description: 'Of an answer' }),
    finishReason: z
      .enum(['stop', 'length'])
      .optional()
      .meta({ description: 'Of an answer; `length`: it was cut at its limit' }),
    error: turnError.optional(),
    feedback: z.enum(RATINGS).optional().meta({ description: 'What you said of an answer' }),
    createdAt: instant,
  })
  .meta({ id: 'Message' });

export const conversationPage = pageOf(listedConversation).meta({ id: 'Conversations' });
export const messagePage = pageOf(messageItem).meta({ id: 'Messages' });
