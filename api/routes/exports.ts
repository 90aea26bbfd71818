import { setImmediate as letOthers } from 'node:timers/promises';
import type { Response } from 'express';
import { z } from 'zod';
import { getConversation, type ConversationRecord } from '../../db/conversations/conversations.ts';
import { readInstructions } from '../../db/conversations/own-instructions.ts';
import { listMessages, type MessageRecord } from '../../db/conversations/messages.ts';
import type { Database } from '../../db/database.ts';
import type { Locale } from '../../domain/messages.ts';
import type { ApiDeps } from '../context.ts';
import { drained } from '../http/event-stream.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { presentShown } from '../present/file.ts';
import { iso } from '../present/turn.ts';
import { exportedConversation, exportQuery } from '../wire/export.ts';
import { uuid } from '../wire/fields.ts';

/** Messages that one query reads. */
const BATCH = 100;
/** Milliseconds for which others may wait while a batch is written: a reader that is fast never stops it. */
const MOST_AT_ONCE = 5;

export function exportRoutes({ database }: Pick<ApiDeps, 'database'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/conversations/:conversationId/export',
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'The whole conversation, or one line of it, as a file: JSON or, with `format=markdown`, Markdown',
      params: z.object({ conversationId: uuid }),
      query: exportQuery,
      answers: { 200: { description: 'The file', body: exportedConversation, text: 'text/markdown' } },
      errors: ['not_found'],
      async handle({ principal, response, gone, locale }, { params: { conversationId }, query: { format, branch } }) {
        const which = { conversationId, userId: principal.userId };
        const conversation = await getConversation(database, which);
        const { text: instructions } = await readInstructions(database.sql, which);
        const file = FILES[format];
        const pieces = file.write(
          { ...conversation, instructions },
          await messagesOf(database, { ...which, branch }),
          locale,
        );
        response.status(200).set({
          'Content-Type': file.type,
          'Content-Disposition': `attachment; filename="turnkeeper-${conversationId}.${file.ending}"`,
        });
        return send(response, pieces, gone);
      },
    }),
  ];
}

interface Exported extends ConversationRecord {
  /** The person's own for this conversation; '' where there are none. */
  readonly instructions: string;
}

interface FileKind {
  readonly type: string;
  readonly ending: string;
  write(
    conversation: Exported,
    batches: AsyncIterable<readonly MessageRecord[]>,
    locale: Locale,
  ): AsyncGenerator<string>;
}

const FILES = {
  json: { type: 'application/json; charset=utf-8', ending: 'json', write: writeJson },
  markdown: { type: 'text/markdown; charset=utf-8', ending: 'md', write: writeMarkdown },
} as const satisfies Record<z.infer<typeof exportQuery>['format'], FileKind>;

/** @throws AppError not_found before the first batch, while the answer may still say so. */
async function messagesOf(
  database: Database,
  which: { conversationId: string; userId: number; branch: string | undefined },
): Promise<AsyncGenerator<readonly MessageRecord[]>> {
  const read = (cursor: string | null) => listMessages(database, { ...which, limit: BATCH, cursor });
  const first = await read(null);
  return (async function* () {
    for (let page = first; ; page = await read(page.nextCursor)) {
      yield page.items;
      if (page.nextCursor === null) return;
    }
  })();
}

async function* writeJson(
  { conversationId, title, instructions, createdAt, updatedAt }: Exported,
  batches: AsyncIterable<readonly MessageRecord[]>,
): AsyncGenerator<string> {
  const told = instructions === '' ? null : instructions;
  const head = { conversationId, title, instructions: told, createdAt: iso(createdAt), updatedAt: iso(updatedAt) };
  yield `${JSON.stringify(head).slice(0, -1)},"messages":[`;
  let comma = '';
  for await (const batch of batches) {
    for (const { turnId, parentTurnId, role, content, files, model, state, createdAt } of batch) {
      const message = { turnId, parentTurnId, role, content, model, state, createdAt: iso(createdAt) };
      const shown = files.length === 0 ? {} : { files: files.map(presentShown) };
      yield `${comma}${JSON.stringify({ ...message, ...shown })}`;
      comma = ',';
    }
  }
  yield ']}';
}

const WORDS = {
  ko: {
    user: '질문',
    assistant: '답변',
    untitled: '제목 없는 대화',
    instructions: '이 대화의 지침',
    files: '첨부 파일',
  },
  en: {
    user: 'Question',
    assistant: 'Answer',
    untitled: 'Untitled conversation',
    instructions: 'Instructions for this conversation',
    files: 'Attached',
  },
} as const satisfies Record<Locale, object>;

async function* writeMarkdown(
  { title, instructions }: Exported,
  batches: AsyncIterable<readonly MessageRecord[]>,
  locale: Locale,
): AsyncGenerator<string> {
  const words = WORDS[locale];
  yield `# ${(title ?? words.untitled).replaceAll(/\s+/g, ' ')}\n`;
  if (instructions !== '') yield `\n## ${words.instructions}\n\n${instructions}\n`;
  for await (const batch of batches)
    for (const { role, content, files, createdAt } of batch) {
      const shown = files.length === 0 ? '' : `${words.files}: ${files.map(({ name }) => name).join(', ')}\n\n`;
      yield `\n## ${words[role]} (${iso(createdAt)})\n\n${shown}${content.trimEnd()}\n`;
    }
}

/**
 * No faster than the reader reads. An error on the way cuts the connection, so that half a file is never taken for a
 * whole one.
 */
async function send(response: Response, pieces: AsyncIterable<string>, gone: AbortSignal): Promise<null> {
  let since = 0;
  for await (const piece of pieces) {
    if (gone.aborted) return null;
    if (!response.write(piece)) await drained(response);
    if (performance.now() - since < MOST_AT_ONCE) continue;
    await letOthers();
    since = performance.now();
  }
  response.end();
  return null;
}
