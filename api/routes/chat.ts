import { z } from 'zod';
import { acceptTurn, findAccepted, type Accepted } from '../../db/turns/accept.ts';
import { findReopened, findTurn, reopenTurn } from '../../db/turns/turns.ts';
import { AppError, TURN_FAILURE_CODES, TURN_REFUSALS } from '../../domain/errors.ts';
import { mayNeedStart } from '../../domain/sending.ts';
import { parseEventId, type EventId } from '../../domain/stream-events.ts';
import { isLive, type TurnRecord } from '../../domain/turn.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { readIdempotencyKey } from '../http/idempotency-key.ts';
import type { Arrival, OverloadGate } from '../http/overload.ts';
import { presentTurn } from '../present/turn.ts';
import { secondsSinceReceived } from '../http/request-metrics.ts';
import { nameTurn } from '../http/request-trace.ts';
import { defineRoute, type Reply, type Route } from '../http/route.ts';
import { answerTurn, followFrom } from '../turns/answer.ts';
import { assertMayUse, assertOn, modelOf } from '../turns/offered.ts';
import { assertAdmissible } from '../turns/refusal.ts';
import { hashOf } from '../turns/body-hash.ts';
import { assertMayShow, FILE_ERRORS } from '../turns/shown-files.ts';
import { createMessageCounter, type MessageCounter } from '../turns/count-message.ts';
import { writeOrFind } from '../../operations/look-up.ts';
import { stopTurn } from '../../operations/stop-turn.ts';
import { uuid } from '../wire/fields.ts';
import { acceptedBody, pendingBody, sendBody, turn } from '../wire/turn.ts';

const params = z.object({ turnId: uuid });
/** Codes of a send or a retry: how its turn may fail, and what may keep it from beginning. */
const RUN_ERRORS = [...TURN_REFUSALS, ...TURN_FAILURE_CODES, 'overloaded'] as const;
const RUN_ANSWERS = {
  200: { description: 'The turn: completed or stopped. As `text/event-stream`, its events', body: turn, stream: true },
  202: {
    description:
      'It runs: as soon as the hold is made with `Prefer: respond-async` (with `conversationId`), or after 120 s',
    body: z.union([acceptedBody, pendingBody]),
  },
};

export function chatRoutes(deps: ApiDeps, gate: OverloadGate): Route[] {
  const counter = createMessageCounter(deps.counter);
  return [
    defineRoute({
      method: 'post',
      path: '/api/chat/send',
      access: 'user',
      need: 'chat',
      tag: 'Chat',
      limit: 'send',
      summary: 'Ask: one turn, answered whole, streamed (Accept: text/event-stream) or later (Prefer: respond-async)',
      headers: z.object({
        'Idempotency-Key': z.string().optional().meta({
          description:
            '1 to 255 visible ASCII characters, unique per account; the same key with the same body is the same turn',
        }),
        Prefer: z.string().optional().meta({ description: '`respond-async`: 202 as soon as the hold is made' }),
      }),
      body: sendBody,
      answers: RUN_ANSWERS,
      errors: [...RUN_ERRORS, ...FILE_ERRORS, 'unknown_model', 'not_found', 'idempotency_conflict', 'turn_erased'],
      handle: (caller, { body }) => send(deps, { gate, counter }, caller, body),
    }),
    defineRoute({
      method: 'get',
      path: '/api/chat/turns/:turnId',
      access: 'user',
      tag: 'Chat',
      limit: 'read',
      summary: 'A turn, in whatever state',
      params,
      answers: { 200: { description: 'The turn', body: turn } },
      errors: ['not_found'],
      async handle(caller, { params: { turnId } }) {
        return { status: 200, body: present(deps, caller, await getOwnTurn(deps, caller, turnId)) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/chat/turns/:turnId/events',
      access: 'user',
      tag: 'Chat',
      limit: 'read',
      summary: 'The events of a turn, resumed from Last-Event-ID',
      params,
      headers: z.object({
        'Last-Event-ID': z
          .string()
          .optional()
          .meta({ description: '`id` of the last event you have; what follows it is sent', example: '1-12' }),
      }),
      answers: { 200: { description: 'Events from there to the ending', stream: true } },
      errors: ['not_found', 'invalid_event_id', 'turn_erased', ...TURN_REFUSALS],
      async handle(caller, { params: { turnId } }) {
        const lastEventId = readLastEventId(caller);
        const turn = await getOwnTurn(deps, caller, turnId);
        if (turn.erasedAt !== null) throw new AppError('turn_erased', { turnId });
        return followFrom(deps, caller, turn, lastEventId);
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/chat/turns/:turnId/stop',
      access: 'user',
      need: 'chat',
      tag: 'Chat',
      limit: 'read',
      summary: 'Stop a turn; what has been answered is kept and charged',
      params,
      answers: {
        200: { description: 'It had ended: its ending', body: turn },
        202: { description: 'It will stop', body: pendingBody },
      },
      errors: ['not_found'],
      handle: (caller, { params: { turnId } }) => stop(deps, caller, turnId),
    }),
    defineRoute({
      method: 'post',
      path: '/api/chat/turns/:turnId/retry',
      access: 'user',
      need: 'chat',
      tag: 'Chat',
      limit: 'send',
      summary: 'Run your failed or refused turn again; answers as a send does',
      params,
      answers: RUN_ANSWERS,
      errors: [...RUN_ERRORS, 'unknown_model', 'not_found', 'turn_not_failed', 'turn_erased'],
      async handle(caller, { params: { turnId } }) {
        assertNotSuspended(caller);
        const { model } = await getOwnTurn(deps, caller, turnId);
        await assertMayUse(deps, caller, model);
        const { userId, accountId } = caller.principal;
        const arrival = gate.arrive(accountId);
        try {
          await arrival.enter();
          const reopened = await writeOrFind(
            () => reopenTurn(deps.database, { turnId, userId, reason: 'retry', byKey: caller.keyId }),
            () => findReopened(deps.database, turnId),
          );
          return await answerTurn(deps, caller, reopened, { start: true, retry: true, onDecided: arrival.decided });
        } finally {
          arrival.leave();
        }
      },
    }),
  ];
}

async function send(
  deps: ApiDeps,
  { gate, counter }: { gate: OverloadGate; counter: MessageCounter },
  caller: Caller,
  body: z.infer<typeof sendBody>,
): Promise<Reply | null> {
  assertNotSuspended(caller);
  const arrival = gate.arrive(caller.principal.accountId);
  try {
    const { decision, turn: accepted } = await accept(deps, { arrival, counter }, caller, body);
    nameTurn(deps.tracing, accepted.turnId);
    deps.metrics.firstDeltaPart('accept', secondsSinceReceived(caller.response));
    return await answerTurn(deps, caller, accepted, {
      start: mayNeedStart(decision, accepted),
      onDecided: arrival.decided,
    });
  } finally {
    arrival.leave();
  }
}

async function accept(
  deps: ApiDeps,
  { arrival, counter }: { arrival: Arrival; counter: MessageCounter },
  caller: Caller,
  body: z.infer<typeof sendBody>,
): Promise<Accepted> {
  const { userId, accountId } = caller.principal;
  const model = await modelOf(deps, caller, body.model);
  const bodyHash = hashOf(body);
  const fileIds = body.files ?? [];
  const request = {
    userId,
    accountId,
    apiKeyId: caller.keyId,
    turnId: body.turnId ?? null,
    idempotencyKey: readIdempotencyKey(caller),
    conversationId: body.conversationId ?? null,
    parentTurnId: body.parentTurnId,
    message: body.message,
    fileIds,
    isLong: fileIds.length > 0 || counter.isLong(body.message),
    countMessage: () => counter.count(body.message, model.encoding, accountId),
    encoding: model.encoding,
    model: model.name,
    askedOutput: body.maxOutputTokens ?? null,
    bodyHash,
  };
  return writeOrFind(
    () =>
      acceptTurn(deps.database, request, async ({ isUnknown }) => {
        await assertOn(deps, model.name);
        if (isUnknown) {
          arrival.look();
          await assertAdmissible(deps, caller, request);
        }
        await assertMayShow(deps, { fileIds, userId, model });
        await arrival.enter();
      }),
    async ({ turnId }) => (turnId === undefined ? null : findAccepted(deps.database, { turnId, accountId, bodyHash })),
  );
}

/** Refuses before anything is written. `reserveTurn` checks again, under the account's lock. Reading stays allowed. */
function assertNotSuspended({ principal }: Caller): void {
  if (principal.suspended) throw new AppError('account_suspended');
}

async function stop(deps: ApiDeps, caller: Caller, turnId: string): Promise<Reply> {
  const { userId } = caller.principal;
  const requested = await stopTurn(deps, { turnId, userId });
  if (!isLive(requested.state)) return { status: 200, body: present(deps, caller, requested) };
  return { status: 202, body: { turnId, state: requested.state } };
}

async function getOwnTurn(deps: ApiDeps, { principal }: Caller, turnId: string): Promise<TurnRecord> {
  nameTurn(deps.tracing, turnId);
  const found = await findTurn(deps.database, { turnId, userId: principal.userId });
  if (found === null) throw new AppError('not_found');
  return found;
}

function present(deps: ApiDeps, { locale }: Caller, record: TurnRecord) {
  return presentTurn(record, { locale, models: deps.models });
}

/** @throws AppError invalid_event_id. A browser that has seen no id sends an empty header. */
function readLastEventId({ request }: Caller): EventId | null {
  const header = request.get('last-event-id');
  if (header === undefined || header === '') return null;
  const id = parseEventId(header);
  if (id === null) throw new AppError('invalid_event_id');
  return id;
}
