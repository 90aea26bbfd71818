import { isUnavailable } from '../../db/driver/availability.ts';
import { AppError } from '../../domain/errors.ts';
import type { EventId } from '../../domain/stream-events.ts';
import { isLive, type TurnRecord } from '../../domain/turn.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { presentTurn } from '../present/turn.ts';
import type { Reply } from '../http/route.ts';
import { failureOf, refusalOf } from './refusal.ts';
import { startRun } from '../../operations/start-turn.ts';
import { TurnProgress } from './progress.ts';
import { streamTurn } from './stream.ts';

/**
 * How long a plain send waits for its answer, and any request for the decision about the hold (a few milliseconds while
 * a worker runs).
 */
const ANSWER_WITHIN_MS = 120_000;
export const DECISION_WITHIN_MS = 30_000;

/** The kind of answer that the request wants. */
export type AnswerKind = 'json' | 'stream' | 'async';

export function answerKindOf({ request }: Caller): AnswerKind {
  if (request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') return 'stream';
  return /(^|[,;\s])respond-async([,;\s]|$)/i.test(request.get('prefer') ?? '') ? 'async' : 'json';
}

/**
 * Runs (or joins, or repeats) a turn and answers as asked. A stream's headers are sent only when the hold is made or
 * refused, so that a refusal is the same JSON for everybody.
 * @param options.start the workflow has to be started, or may have to be. `onDecided`: called when the turn's hold is
 *   made, or will never be.
 */
export async function answerTurn(
  deps: ApiDeps,
  caller: Caller,
  turn: TurnRecord,
  options: { start: boolean; retry?: boolean; onDecided?: () => void },
): Promise<Reply | null> {
  const wanted = answerKindOf(caller);
  const began = Date.now();
  const sentAt = performance.now();
  const progress = new TurnProgress(deps, turn.turnId, options.start ? turn : null);
  try {
    if (options.start) await startRun(deps, turn);
    const decided = isDecided(turn)
      ? turn
      : await progress.until(isDecided, { withinMs: began + DECISION_WITHIN_MS - Date.now(), gone: caller.closed });
    if (!isDecided(decided)) return await undecided(caller, decided);
    options.onDecided?.();
    if (options.start && decided.admittedAt !== null)
      deps.metrics.firstDeltaPart('hold', (performance.now() - sentAt) / 1_000);
    if (decided.state === 'refused') throw await refusalOf(deps, decided);
    // The turn ended before it had a hold. A JSON send and the person's retry answer that as an error. A stream sends
    // `failed`.
    const neverHeld = decided.state === 'failed' && decided.admittedAt === null && options.start;
    if (neverHeld && (wanted !== 'stream' || options.retry === true)) throw await failureOf(deps, decided);
    if (wanted === 'stream')
      return await streamTurn(deps, caller, decided, { lastEventId: null, sent: options.start, progress });
    if (wanted === 'async' && (options.start || isLive(decided.state))) return accepted(decided);
    const ended = isLive(decided.state)
      ? await progress.until(hasEnded, { withinMs: began + ANSWER_WITHIN_MS - Date.now(), gone: caller.left })
      : decided;
    return await answer(deps, caller, ended);
  } catch (error) {
    if (error instanceof AppError || !isUnavailable(error)) throw error;
    // PostgreSQL went away after the turn was accepted. The turn is bound, and sending its id again finds what became
    // of it.
    throw new AppError(
      'unavailable',
      { retryAfter: 2, turnId: turn.turnId, conversationId: turn.conversationId, bound: true },
      { cause: error },
    );
  } finally {
    progress.close();
  }
}

/** Sends the events of a turn that runs already. The answer for a refused turn is its refusal. */
export async function followFrom(
  deps: ApiDeps,
  caller: Caller,
  turn: TurnRecord,
  lastEventId: EventId | null,
): Promise<null> {
  const progress = new TurnProgress(deps, turn.turnId);
  try {
    const decided = isDecided(turn)
      ? turn
      : await progress.until(isDecided, { withinMs: DECISION_WITHIN_MS, gone: caller.closed });
    if (!isDecided(decided)) return await undecided(caller, decided);
    if (decided.state === 'refused') throw await refusalOf(deps, decided);
    return await streamTurn(deps, caller, decided, { lastEventId, sent: false, progress });
  } finally {
    progress.close();
  }
}

/** A turn as a JSON send answers it: the answer, the failure as an error, or where to find the turn while it runs. */
async function answer(deps: ApiDeps, caller: Caller, turn: TurnRecord): Promise<Reply> {
  if (isLive(turn.state))
    return { status: 202, body: { turnId: turn.turnId, state: turn.state }, headers: locationOf(turn) };
  if (turn.state === 'failed') throw await failureOf(deps, turn);
  if (turn.state === 'refused') throw await refusalOf(deps, turn);
  return { status: 200, body: presentTurn(turn, { locale: caller.locale, models: deps.models }) };
}

function accepted(turn: TurnRecord): Reply {
  const { turnId, conversationId, state } = turn;
  return {
    status: 202,
    body: { turnId, conversationId, state },
    headers: { ...locationOf(turn), 'Preference-Applied': 'respond-async' },
  };
}

/** No worker has taken the turn up. It stays bound, and sending the same id again joins it. */
async function undecided(caller: Caller, { turnId, conversationId }: TurnRecord): Promise<null> {
  if (caller.closed.aborted) return null;
  throw new AppError('unavailable', { retryAfter: 5, turnId, conversationId, bound: true });
}

/** Whether the hold of this run is made, or will never be. */
export function isDecided({ state, admittedAt }: TurnRecord): boolean {
  return !isLive(state) || admittedAt !== null;
}

export function hasEnded({ state }: TurnRecord): boolean {
  return !isLive(state);
}

function locationOf({ turnId }: TurnRecord): Record<string, string> {
  return { Location: `/api/chat/turns/${turnId}` };
}
