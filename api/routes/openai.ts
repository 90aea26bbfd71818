import { z } from 'zod';
import { AppError, TURN_FAILURE_CODES, TURN_REFUSALS } from '../../domain/errors.ts';
import type { ApiDeps, Caller } from '../context.ts';
import type { OverloadGate } from '../http/overload.ts';
import { secondsSinceReceived } from '../http/request-metrics.ts';
import { nameTurn } from '../http/request-trace.ts';
import { defineRoute, type Reply, type Route } from '../http/route.ts';
import { acceptRequest } from '../openai/accept.ts';
import { answerAsOpenAi } from '../openai/answer.ts';
import { MOST_IMAGES_IN_BASE64 } from '../openai/prompt/images.ts';
import { OPENAI_ENVELOPE } from '../openai/envelope.ts';
import type { OpenAiRequest } from '../openai/protocol.ts';
import { readCompletion } from '../openai/request.ts';
import { readInput } from '../openai/responses/input.ts';
import { resolveReferences } from '../openai/responses/references.ts';
import { readResponse } from '../openai/responses/request.ts';
import { createMessageCounter, type MessageCounter } from '../turns/count-message.ts';
import { assertOn, modelOf, offeredTo } from '../turns/offered.ts';
import { completion, completionBody, openaiModel, openaiModels } from '../wire/completion.ts';
import { response, responseBody } from '../wire/responses.ts';

/** A whole conversation comes with each request, its images as base64. */
const MOST_BODY = { bytes: 1_048_576, images: MOST_IMAGES_IN_BASE64, values: 12_000, depth: 64 };
/** Our catalogue has no days: a model is said to be as old as this list, because clients want a number. */
const LISTED_SINCE = Date.UTC(2026, 10, 30) / 1_000;

/** What a client's repetition of a request says. */
const RETRY_HEADERS = z.object({
  'Idempotency-Key': z.string().optional().meta({
    description: '1 to 255 visible ASCII characters, unique per account; the same key with the same body is one turn',
  }),
  'x-stainless-retry-count': z.string().optional().meta({
    description: 'Sent by OpenAI’s clients. From 1 on, the turn of a connection that was lost is joined',
  }),
});

const TURN_ERRORS = [
  ...TURN_REFUSALS,
  ...TURN_FAILURE_CODES,
  ...([
    'overloaded',
    'unknown_model',
    'unsupported_parameter',
    'file_refused',
    'model_sees_no_images',
    'idempotency_conflict',
    'answer_erased',
  ] as const),
];

/** The calls of OpenAI's API, as its own clients make and read them. */
export function openaiRoutes(deps: ApiDeps, gate: OverloadGate): Route[] {
  const counter = createMessageCounter(deps.counter);
  const named = { access: 'user', tag: 'OpenAI', envelope: OPENAI_ENVELOPE } as const;
  return [
    defineRoute({
      ...named,
      method: 'post',
      path: '/v1/chat/completions',
      limit: 'send',
      mostBody: MOST_BODY,
      lasts: true,
      summary: 'One turn, in the shapes of OpenAI’s chat completions: whole, or streamed with `stream: true`',
      headers: RETRY_HEADERS,
      body: completionBody,
      answers: { 200: { description: 'The answer; as chunks with `stream: true`', body: completion, stream: true } },
      errors: TURN_ERRORS,
      handle: (caller, { body }) => answer(deps, { gate, counter }, caller, readCompletion(body)),
    }),
    defineRoute({
      ...named,
      method: 'post',
      path: '/v1/responses',
      limit: 'send',
      mostBody: MOST_BODY,
      lasts: true,
      summary: 'One turn, in the shapes of OpenAI’s responses: whole, or its events with `stream: true`',
      headers: RETRY_HEADERS,
      body: responseBody,
      answers: { 200: { description: 'The response; as events with `stream: true`', body: response, stream: true } },
      errors: TURN_ERRORS,
      handle: async (caller, { body }) =>
        answer(
          deps,
          { gate, counter },
          caller,
          readResponse(body, await readInput(body.input, resolveReferences(deps, caller))),
        ),
    }),
    defineRoute({
      ...named,
      method: 'get',
      path: '/v1/models',
      limit: 'read',
      summary: 'The models on offer',
      answers: { 200: { description: 'All of them', body: openaiModels } },
      errors: [],
      async handle(caller) {
        const offered = await offeredTo(deps, caller);
        return { status: 200, body: { object: 'list', data: offered.map(({ name }) => present(name)) } };
      },
    }),
    defineRoute({
      ...named,
      method: 'get',
      path: '/v1/models/:model',
      limit: 'read',
      summary: 'One model',
      params: z.object({ model: z.string() }),
      answers: { 200: { description: 'It is on offer', body: openaiModel } },
      errors: ['unknown_model'],
      async handle(caller, { params: { model } }) {
        await modelOf(deps, caller, model);
        await assertOn(deps, model);
        return { status: 200, body: present(model) };
      },
    }),
  ];
}

async function answer(
  deps: ApiDeps,
  { gate, counter }: { gate: OverloadGate; counter: MessageCounter },
  caller: Caller,
  asked: OpenAiRequest,
): Promise<Reply | null> {
  if (caller.principal.suspended) throw new AppError('account_suspended');
  const arrival = gate.arrive(caller.principal.accountId);
  try {
    const accepted = await acceptRequest(deps, { arrival, counter }, caller, asked);
    nameTurn(deps.tracing, accepted.turn.turnId);
    deps.metrics.firstDeltaPart('accept', secondsSinceReceived(caller.response));
    return await answerAsOpenAi(deps, caller, accepted, { asked, onDecided: arrival.decided });
  } finally {
    arrival.leave();
  }
}

function present(id: string): z.infer<typeof openaiModel> {
  return { id, object: 'model', created: LISTED_SINCE, owned_by: 'turnkeeper' };
}
