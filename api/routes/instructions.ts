import { z } from 'zod';
import {
  readInstructions,
  writeInstructions,
  type InstructionsRecord,
  type Whose,
} from '../../db/conversations/own-instructions.ts';
import { AppError } from '../../domain/errors.ts';
import { MOST_INSTRUCTIONS_TOKENS } from '../../domain/own-instructions.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { isoOrNull } from '../present/turn.ts';
import { uuid } from '../wire/fields.ts';
import { countBody, instructions, instructionsBody, instructionsCount } from '../wire/instructions.ts';

const params = z.object({ conversationId: uuid });
const OF_CONVERSATION = '/api/conversations/:conversationId/instructions';

/** What a person tells the model with each question, everywhere or in one conversation. */
export function instructionRoutes(deps: Pick<ApiDeps, 'database' | 'counter' | 'models'>): Route[] {
  /** By the encoding that counts most, so that they fit whichever model is asked. */
  async function count(text: string, accountId: number): Promise<number> {
    const encodings = new Set(deps.models.map(({ encoding }) => encoding));
    const counts = [...encodings].map(async (encoding) => deps.counter.count(text, encoding, accountId));
    return Math.max(...(await Promise.all(counts)));
  }

  async function write(
    whose: Whose,
    accountId: number,
    { text, version }: z.infer<typeof instructionsBody>,
  ): Promise<z.infer<typeof instructions>> {
    const tokens = await count(text, accountId);
    if (tokens > MOST_INSTRUCTIONS_TOKENS)
      throw new AppError('invalid_request', {
        field: 'text',
        reason: `must have at most ${MOST_INSTRUCTIONS_TOKENS} tokens, and has ${tokens}`,
        tokens,
        mostTokens: MOST_INSTRUCTIONS_TOKENS,
      });
    return present(await writeInstructions(deps.database, whose, { text, tokens, version: version ?? null }));
  }

  return [
    defineRoute({
      method: 'get',
      path: '/api/me/instructions',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'Your own instructions, for all conversations',
      answers: { 200: { description: 'They', body: instructions } },
      errors: [],
      async handle({ principal: { userId } }) {
        return {
          status: 200,
          body: present(await readInstructions(deps.database.sql, { userId, conversationId: null })),
        };
      },
    }),
    defineRoute({
      method: 'put',
      path: '/api/me/instructions',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'Write your own instructions: each question from now on takes them along, and its hold counts them',
      body: instructionsBody,
      answers: { 200: { description: 'They', body: instructions } },
      errors: ['version_conflict'],
      async handle({ principal: { userId, accountId } }, { body }) {
        return { status: 200, body: await write({ userId, conversationId: null }, accountId, body) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/me/instructions/count',
      access: 'user',
      need: 'read',
      tag: 'Account',
      limit: 'read',
      summary: 'How many tokens a text would have as own instructions; nothing is written',
      body: countBody,
      answers: { 200: { description: 'The count', body: instructionsCount } },
      errors: [],
      async handle({ principal: { accountId } }, { body: { text } }) {
        return { status: 200, body: { tokens: await count(text, accountId), mostTokens: MOST_INSTRUCTIONS_TOKENS } };
      },
    }),
    defineRoute({
      method: 'get',
      path: OF_CONVERSATION,
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'Your own instructions for this conversation',
      params,
      answers: { 200: { description: 'They', body: instructions } },
      errors: ['not_found'],
      async handle({ principal: { userId } }, { params: { conversationId } }) {
        return { status: 200, body: present(await readInstructions(deps.database.sql, { userId, conversationId })) };
      },
    }),
    defineRoute({
      method: 'put',
      path: OF_CONVERSATION,
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'Write your own instructions for this conversation; they come beside those for all',
      params,
      body: instructionsBody,
      answers: { 200: { description: 'They', body: instructions } },
      errors: ['not_found', 'version_conflict'],
      async handle({ principal: { userId, accountId } }, { params: { conversationId }, body }) {
        return { status: 200, body: await write({ userId, conversationId }, accountId, body) };
      },
    }),
  ];
}

function present({ text, tokens, version, updatedAt }: InstructionsRecord): z.infer<typeof instructions> {
  return { text, tokens, mostTokens: MOST_INSTRUCTIONS_TOKENS, version, updatedAt: isoOrNull(updatedAt) };
}
