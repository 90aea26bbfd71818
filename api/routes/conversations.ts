import { z } from 'zod';
import {
  createConversation,
  getConversation,
  listConversations,
  updateConversation,
  type ConversationRecord,
  type ListedConversation,
} from '../../db/conversations/conversations.ts';
import { listMessages, type MessageRecord } from '../../db/conversations/messages.ts';
import type { Locale } from '../../domain/messages.ts';
import { erase } from '../../operations/conversations/erase-conversation.ts';
import type { ApiDeps } from '../context.ts';
import { presentShown } from '../present/file.ts';
import { iso, presentError } from '../present/turn.ts';
import { defineRoute, type Route } from '../http/route.ts';
import {
  conversation,
  conversationPage,
  conversationsQuery,
  createConversationBody,
  messageItem,
  messagePage,
  messagesQuery,
  updateConversationBody,
} from '../wire/conversation.ts';
import { uuid } from '../wire/fields.ts';

const params = z.object({ conversationId: uuid });
const WHETHER = { true: true, false: false, all: null } as const;

export function conversationRoutes(deps: ApiDeps): Route[] {
  const { database } = deps;
  return [
    defineRoute({
      method: 'get',
      path: '/api/conversations',
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'Your conversations, newest activity first',
      query: conversationsQuery,
      answers: { 200: { description: 'A page', body: conversationPage } },
      errors: [],
      async handle({ principal }, { query }) {
        const page = await listConversations(database, {
          userId: principal.userId,
          search: query.search ?? null,
          archived: WHETHER[query.archived],
          pinned: WHETHER[query.pinned],
          limit: query.limit,
          cursor: query.cursor ?? null,
        });
        return { status: 200, body: { ...page, items: page.items.map(presentListed) } };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/conversations',
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'Begin an empty conversation',
      body: createConversationBody,
      answers: { 201: { description: 'The conversation', body: conversation } },
      errors: [],
      async handle({ principal }, { body }) {
        return {
          status: 201,
          body: presentConversation(
            await createConversation(database, { userId: principal.userId, title: body.title ?? null }),
          ),
        };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/conversations/:conversationId',
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'One conversation',
      params,
      answers: { 200: { description: 'The conversation', body: conversation } },
      errors: ['not_found'],
      async handle({ principal }, { params: { conversationId } }) {
        return {
          status: 200,
          body: presentConversation(await getConversation(database, { conversationId, userId: principal.userId })),
        };
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/api/conversations/:conversationId',
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'Rename, archive or bring back, pin or let go',
      params,
      body: updateConversationBody,
      answers: { 200: { description: 'The conversation', body: conversation } },
      errors: ['not_found'],
      async handle({ principal }, { params: { conversationId }, body }) {
        const { title, archived, pinned } = body;
        const changed = await updateConversation(database, {
          conversationId,
          userId: principal.userId,
          ...(title === undefined ? {} : { title }),
          ...(archived === undefined ? {} : { archived }),
          ...(pinned === undefined ? {} : { pinned }),
        });
        return { status: 200, body: presentConversation(changed) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/api/conversations/:conversationId',
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'Delete a conversation for good: its text and share links go, its debits stay',
      params,
      answers: { 204: { description: 'It is gone' } },
      errors: ['not_found', 'conversation_busy'],
      async handle({ principal }, { params: { conversationId } }) {
        await erase(deps, { conversationId, userId: principal.userId });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/conversations/:conversationId/messages',
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'The transcript, oldest first or from its end back',
      params,
      query: messagesQuery,
      answers: { 200: { description: 'A page', body: messagePage } },
      errors: ['not_found'],
      async handle({ principal, locale }, { params: { conversationId }, query }) {
        const page = await listMessages(database, {
          conversationId,
          limit: query.limit,
          branch: query.branch,
          userId: principal.userId,
          order: query.order,
          cursor: query.cursor ?? null,
        });
        return { status: 200, body: { ...page, items: page.items.map((message) => presentMessage(message, locale)) } };
      },
    }),
  ];
}

function presentConversation({
  conversationId,
  title,
  archived,
  pinned,
  createdAt,
  updatedAt,
}: ConversationRecord): z.infer<typeof conversation> {
  return { conversationId, title, archived, pinned, createdAt: iso(createdAt), updatedAt: iso(updatedAt) };
}

function presentListed({ found, ...record }: ListedConversation) {
  return { ...presentConversation(record), ...(found === null ? {} : { found }) };
}

function presentMessage(
  { usage, files, finishReason, error, feedback, createdAt, ...message }: MessageRecord,
  locale: Locale,
): z.infer<typeof messageItem> {
  return {
    ...message,
    ...(files.length === 0 ? {} : { files: files.map(presentShown) }),
    ...(usage === null ? {} : { usage }),
    ...(finishReason === null ? {} : { finishReason }),
    ...(feedback === null ? {} : { feedback }),
    ...(error === null ? {} : { error: presentError(error, locale) }),
    createdAt: iso(createdAt),
  };
}
