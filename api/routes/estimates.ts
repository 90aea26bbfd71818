import { estimateTurn } from '../../db/files/estimate.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { createMessageCounter } from '../turns/count-message.ts';
import { assertOn, modelOf } from '../turns/offered.ts';
import { estimate, estimateBody } from '../wire/estimate.ts';

export function estimateRoutes(deps: ApiDeps): Route[] {
  const { database } = deps;
  const counter = createMessageCounter(deps.counter);
  return [
    defineRoute({
      method: 'post',
      path: '/api/chat/estimate',
      access: 'user',
      need: 'chat',
      tag: 'Chat',
      limit: 'read',
      summary: 'What a question would cost at most, before it is sent; nothing is stored',
      body: estimateBody,
      answers: { 200: { description: 'By the rule and the figures of admission', body: estimate } },
      errors: ['unknown_model', 'not_found', 'file_not_found', 'model_sees_no_images', 'overloaded'],
      async handle(caller, { body }) {
        const { userId, accountId } = caller.principal;
        const model = await modelOf(deps, caller, body.model);
        await assertOn(deps, model.name);
        const { hold, fileTokens, refusal } = await estimateTurn(
          database,
          {
            userId,
            accountId,
            conversationId: body.conversationId ?? null,
            parentTurnId: body.parentTurnId,
            fileIds: body.files ?? [],
            messageTokens: await counter.count(body.message, model.encoding, accountId),
            askedOutput: body.maxOutputTokens ?? null,
          },
          model,
          (text, encoding, by) => deps.counter.count(text, encoding, by),
        );
        return {
          status: 200,
          body: {
            model: model.name,
            mostTokens: hold.tokens,
            fileTokens,
            promptTokens: hold.promptTokens,
            maxOutputTokens: hold.outputLimit,
            refusal,
          },
        };
      },
    }),
  ];
}
