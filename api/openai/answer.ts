import { isUnavailable } from '../../db/driver/availability.ts';
import type { Accepted } from '../../db/turns/accept.ts';
import { findApiAnswer } from '../../db/turns/prompts.ts';
import { AppError } from '../../domain/errors.ts';
import { mayNeedStart } from '../../domain/sending.ts';
import { isLive, type TurnRecord } from '../../domain/turn.ts';
import { startRun } from '../../operations/start-turn.ts';
import type { ApiDeps, Caller } from '../context.ts';
import type { Reply } from '../http/route.ts';
import { DECISION_WITHIN_MS, hasEnded, isDecided } from '../turns/answer.ts';
import { TurnProgress } from '../turns/progress.ts';
import { failureOf, refusalOf } from '../turns/refusal.ts';
import { headersOf } from './headers.ts';
import type { OpenAiRequest } from './protocol.ts';
import { streamAnswer } from './stream.ts';
import { waitFor, type Waiting } from './waiting.ts';

/** More than all attempts of a turn may take, so that the turn's own limits end the wait. */
const ANSWER_WITHIN_MS = 40 * 60_000;

/** Runs, joins or repeats the turn of a request and answers as OpenAI does. */
export async function answerAsOpenAi(
  deps: ApiDeps,
  caller: Caller,
  { decision, turn }: Accepted,
  { asked, onDecided }: { asked: OpenAiRequest; onDecided: () => void },
): Promise<Reply | null> {
  const start = mayNeedStart(decision, turn);
  const waiting = waitFor(deps, caller, { turn, streamed: asked.streamed });
  const progress = new TurnProgress(deps, turn.turnId, start ? turn : null);
  try {
    if (start) await startRun(deps, turn);
    const decided = isDecided(turn)
      ? turn
      : await progress.until(isDecided, { withinMs: DECISION_WITHIN_MS, gone: caller.closed });
    if (!isDecided(decided)) return await undecided(caller, decided, waiting);
    onDecided();
    await assertAnswerable(deps, decided);
    const headers = headersOf(deps, caller, decided);
    const { streamed, protocol } = asked;
    if (streamed)
      return await streamAnswer(deps, caller, decided, { voice: protocol.stream(decided), headers, progress, waiting });
    const ended = hasEnded(decided)
      ? decided
      : await progress.until(hasEnded, { withinMs: ANSWER_WITHIN_MS, gone: caller.left });
    if (isLive(ended.state)) return await undecided(caller, ended, waiting);
    await assertAnswerable(deps, ended);
    const beside = await findApiAnswer(deps.database.sql, ended.turnId);
    return { status: 200, body: protocol.whole({ turn: ended, beside }), headers: await headers };
  } catch (error) {
    if (error instanceof AppError || !isUnavailable(error)) throw error;
    throw new AppError('unavailable', { retryAfter: 2, turnId: turn.turnId }, { cause: error });
  } finally {
    progress.close();
  }
}

/** @throws AppError why the turn brought no answer. */
async function assertAnswerable(deps: ApiDeps, turn: TurnRecord): Promise<void> {
  if (turn.state === 'refused') throw await refusalOf(deps, turn);
  if (turn.state === 'failed') throw await failureOf(deps, turn);
}

/** The turn goes on for whoever sent it, who may send again. */
async function undecided(caller: Caller, { turnId }: TurnRecord, waiting: Waiting): Promise<null> {
  if (caller.closed.aborted) return null;
  await waiting.leave();
  throw new AppError('unavailable', { retryAfter: 5, turnId });
}
