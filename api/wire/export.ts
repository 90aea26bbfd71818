import { z } from 'zod';
import { instant, uuid } from './fields.ts';
import { messageItem, messagesQuery } from './conversation.ts';

export const exportQuery = z.strictObject({
  format: z.enum(['json', 'markdown']).default('json'),
  branch: messagesQuery.shape.branch,
});

export const exportedConversation = z
  .object({
    conversationId: uuid,
    title: z.string().nullable(),
    instructions: z.string().nullable().meta({ description: 'Your own for this conversation, as they are now' }),
    createdAt: instant,
    updatedAt: instant,
    messages: z.array(
      messageItem.pick({
        turnId: true,
        parentTurnId: true,
        role: true,
        content: true,
        files: true,
        model: true,
        state: true,
        createdAt: true,
      }),
    ),
  })
  .meta({ id: 'ExportedConversation' });
