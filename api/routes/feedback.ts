import { z } from 'zod';
import { countFeedback, rateAnswer } from '../../db/conversations/feedback.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { feedback, feedbackBody, feedbackCounts, feedbackQuery } from '../wire/feedback.ts';
import { uuid } from '../wire/fields.ts';

export function feedbackRoutes({ database }: Pick<ApiDeps, 'database'>): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/chat/turns/:turnId/feedback',
      access: 'user',
      tag: 'Chat',
      limit: 'read',
      summary: 'Say whether an answer was good; the last word counts',
      params: z.object({ turnId: uuid }),
      body: feedbackBody,
      answers: { 200: { description: 'Kept', body: feedback } },
      errors: ['not_found'],
      async handle({ principal: { userId } }, { params: { turnId }, body: { rating } }) {
        await rateAnswer(database, { turnId, userId, rating });
        return { status: 200, body: { turnId, rating } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/feedback',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'How many answers of each model were rated good and bad',
      query: feedbackQuery,
      answers: { 200: { description: 'By the model’s name', body: feedbackCounts } },
      errors: [],
      async handle(_caller, { query: { from, to } }) {
        const at = (text: string | undefined) => (text === undefined ? null : Date.parse(text));
        return { status: 200, body: { items: await countFeedback(database, { from: at(from), to: at(to) }) } };
      },
    }),
  ];
}
