import { sql } from 'kysely';
import { ATTEMPTS_PER_RUN, holdTimeoutMs } from '../../domain/attempt-limits.ts';
import { AppError, type TurnFailureCode } from '../../domain/errors.ts';
import type { ProviderError } from '../../domain/provider-error.ts';
import type { Usage } from '../../domain/usage.ts';
import type { Generated } from '../../workflows/contract/turn.ts';
import { one, type Database, type Tx } from '../database.ts';
import { findPendingHold, findPendingHoldOf, renewHold, type Hold } from '../money/holds.ts';
import { endTurn, findEnding, isSuperseded } from './end.ts';
import {
  openFirstAttempt,
  withoutNul,
  storeAnswerAtOnce,
  type AnswerToStore,
  type AttemptContext,
  type OpenedAttempt,
} from './first-attempt.ts';
import { hasSpoken, writeApiAnswer } from './prompts.ts';
import { reserveLocked } from './reserve.ts';
import { lockingTurn } from './payer.ts';
import { lockTurn, type TurnRow } from './row.ts';
import { COUNT_UNPAID } from '../money/unpaid.ts';

export type { AnswerToStore, AttemptContext, OpenedAttempt } from './first-attempt.ts';

/**
 * Opens an attempt and renews the hold in the same transaction. Under a hold that is not this run's live one it first
 * does what reserve does: an ended turn answers its ending, a live one is admitted again and may be refused.
 * @returns null when the turn has gone on without the caller (a newer run has it, or a later task of this run has
 *   opened an attempt): a worker that slept finds the turn another's, and leaves it alone.
 */
export async function openAttempt(
  database: Database,
  turnId: string,
  context: AttemptContext,
): Promise<OpenedAttempt | Generated | null> {
  const first = context.temporalAttempt === 1 ? await openFirstAttempt(database, turnId, context) : null;
  if (first !== null) return first;
  try {
    return await lockingTurn(database, { turnId, isPatient: true }, async (tx) => {
      const [row, pending] = await Promise.all([lockTurn(tx, turnId), findPendingHold(tx, turnId)]);
      if (row === null) throw new AppError('not_found');
      // Asked only of a turn that has had an attempt.
      const before = row.attempt === 0 ? NO_ATTEMPTS : await findAttempts(tx, turnId, context.runId);
      if (before.newest > context.temporalAttempt || (await isSuperseded(tx, row, context))) return null;
      // A run that has not held comes to an attempt only by a reset to behind its hold.
      const coming = { cancelled: false, isReset: true };
      const reserved = await reserveLocked(tx, { row, pending, room: null }, coming, context);
      return reserved.kind === 'held' ? open(tx, reserved, before, context) : reserved;
    });
  } catch (error) {
    if (error instanceof AppError && error.code === 'conversation_busy')
      return { kind: 'failed', code: 'conversation_busy' };
    throw error;
  }
}

/**
 * A run has four attempts, however often Temporal gave one to a worker that was gone: only an attempt that was opened
 * may have called the model.
 */
async function open(
  tx: Tx,
  { row: turn, hold }: { row: TurnRow; hold: Hold },
  before: typeof NO_ATTEMPTS,
  context: AttemptContext,
): Promise<OpenedAttempt | Generated> {
  const number = turn.attempt + 1;
  // A client of the OpenAI door cannot take text back: once some has left, no other attempt answers.
  const hasLeft = turn.isApi && turn.attempt > 0 && (await hasSpoken(tx, turn.id));
  if (before.count >= ATTEMPTS_PER_RUN || hasLeft) {
    await endTurn(tx, turn, { outcome: 'failed', code: 'interrupted' }, context.runId);
    return { kind: 'failed', code: 'interrupted' };
  }
  renewHold(tx, hold.id, holdTimeoutMs(hold.outputLimit));
  tx.write(sql`with lost as (
      update attempts set state = 'lost', ended_at = now() where turn_id = ${turn.id} and state = 'open'
    ), opened as (
      insert into attempts (turn_id, number, run_id, hold_id, temporal_attempt)
      values (${turn.id}, ${number}, ${context.runId}, ${hold.id}, ${context.temporalAttempt})
    )
    update turns set state = 'running', attempt = ${number}, run_id = ${context.runId}, touched_at = clock_timestamp() where id = ${turn.id}`);
  const replayed = before.count === 0 && (turn.runReason === 'replay' || turn.runReason === 'reset');
  return {
    kind: 'opened',
    number,
    isLast: before.count + 1 === ATTEMPTS_PER_RUN,
    wasEmpty: before.wasEmpty,
    turn,
    hold,
    restarted: number === 1 ? null : replayed ? 'replay' : 'retry',
  };
}

/**
 * Hands an open attempt to a later task of its run, in the process where it still streams: renews the hold, and notes
 * the task, so that no earlier one takes the turn.
 * @returns null when the attempt can bring no answer any more, or a still later task has it.
 */
export async function adoptAttempt(
  database: Database,
  { turnId, attempt }: { turnId: string; attempt: number },
  { runId, temporalAttempt }: Pick<AttemptContext, 'runId' | 'temporalAttempt'>,
): Promise<{ isStopRequested: boolean } | null> {
  return lockingTurn(database, { turnId, isPatient: true }, async (tx) => {
    const [row, hold] = await Promise.all([lockTurn(tx, turnId), findPendingHoldOf(tx, { turnId, attempt })]);
    if (row === null) throw new AppError('not_found');
    if (row.runId !== runId || !mayAnswer(row, hold, attempt)) return null;
    if ((await findAttempts(tx, turnId, runId)).newest > temporalAttempt) return null;
    renewHold(tx, hold.id, holdTimeoutMs(hold.outputLimit));
    tx.write(sql`with adopted as (
        update attempts set temporal_attempt = ${temporalAttempt} where turn_id = ${turnId} and number = ${attempt}
      )
      update turns set touched_at = clock_timestamp() where id = ${turnId}`);
    return { isStopRequested: row.stopRequestedAt !== null };
  });
}

/** I am the newest attempt, none is stored, the turn is running and my hold is live. */
function mayAnswer(row: TurnRow, hold: Hold | null, attempt: number): hold is Hold {
  const isCurrent = row.state === 'running' && row.attempt === attempt && row.answerAttempt === null;
  return isCurrent && hold !== null && hold.isLive;
}

const NO_ATTEMPTS = { count: 0, newest: 0, wasEmpty: false };

/** Of one run: how many were opened, the latest of Temporal's tasks that opened one, and whether one was empty. */
async function findAttempts(tx: Tx, turnId: string, runId: string): Promise<typeof NO_ATTEMPTS> {
  return one(
    sql<typeof NO_ATTEMPTS>`select count(*)::int as count, coalesce(max(temporal_attempt), 0) as newest,
        coalesce(bool_or(state = 'failed' and finish_reason = 'stop'), false) as "wasEmpty"
      from attempts where turn_id = ${turnId} and run_id = ${runId}`,
    tx,
  );
}

/**
 * Stores an answer by compare-and-set: this must be the newest attempt, no answer may be stored, the turn must be
 * running and its hold live. Otherwise the answer is dropped and its usage stays on the attempt. A stored answer's hold
 * no longer expires, because it waits for settle.
 * @returns the answer, or what the turn has become without it (null: it still runs, under a newer attempt).
 */
export async function storeAnswer(database: Database, answer: AnswerToStore): Promise<Generated | null> {
  if (await storeAnswerAtOnce(database, answer)) return storedAs(answer);
  return lockingTurn(database, { turnId: answer.turnId, isPatient: true }, async (tx) => {
    const [row, hold] = await Promise.all([lockTurn(tx, answer.turnId), findPendingHoldOf(tx, answer)]);
    if (row === null) throw new AppError('not_found');
    const mayStore = mayAnswer(row, hold, answer.attempt);
    writeAttempt(tx, answer, mayStore ? (answer.outcome === 'completed' ? 'answered' : 'stopped') : 'lost');
    if (!mayStore) return findEnding(tx, row);
    renewHold(tx, hold.id, null);
    if (answer.api != null) writeApiAnswer(tx, row.id, answer.api);
    tx.write(sql`update turns set answer = ${withoutNul(answer.text)}, answer_tokens = ${answer.textTokens}, answer_attempt = ${answer.attempt},
        stream_entries = ${answer.streamEntries}, finish_reason = ${answer.finishReason}, prompt_tokens = ${answer.usage.promptTokens},
        completion_tokens = ${answer.usage.completionTokens}, estimated = ${answer.estimated}, touched_at = clock_timestamp()
      where id = ${row.id}`);
    return storedAs(answer);
  });
}

function storedAs({ attempt, outcome, usage, estimated }: AnswerToStore): Generated {
  const { promptTokens, cachedTokens, completionTokens } = usage;
  return { kind: 'answered', answer: { attempt, outcome, promptTokens, cachedTokens, completionTokens, estimated } };
}

function writeAttempt(tx: Tx, answer: AnswerToStore, state: 'answered' | 'stopped' | 'lost'): void {
  const { usage } = answer;
  // A stop or a newer attempt may have ended the row before. What the provider charged is kept all the same.
  tx.write(sql`update attempts set state = case state when 'stopped' then state else ${state} end, ended_at = now(), finish_reason = ${answer.finishReason}, finish_word = ${answer.finishWord},
      finish_unknown = ${answer.finishUnknown}, provider_request_id = ${answer.providerRequestId}, provider_usage = ${answer.figures === null ? null : JSON.stringify(answer.figures)},
      prompt_tokens = ${usage.promptTokens}, cached_tokens = ${usage.cachedTokens}, completion_tokens = ${usage.completionTokens},
      reasoning_tokens = ${usage.reasoningTokens}, estimated = ${answer.estimated}, first_delta_ms = ${answer.firstDeltaMs ?? null}
    where turn_id = ${answer.turnId} and number = ${answer.attempt} and (state = 'open' or (state in ('lost', 'stopped') and prompt_tokens is null))`);
}

/** Ends an attempt that brought no answer. What the provider charged for it stays on its row. */
export async function failAttempt(
  database: Database,
  {
    turnId,
    attempt,
    code,
    usage,
    finishReason = null,
    provider = null,
  }: {
    turnId: string;
    attempt: number;
    code: TurnFailureCode;
    usage: Usage | null;
    /** Of an answer that failed although it ended: it was empty. */
    finishReason?: 'stop' | 'length' | null;
    provider?: ProviderError | null;
  },
): Promise<void> {
  await sql`with failed as (update attempts set state = case state when 'open' then 'failed' else state end,
      error_code = case state when 'open' then ${code} end, ended_at = now(), finish_reason = ${finishReason}, prompt_tokens = ${usage?.promptTokens ?? null},
      cached_tokens = ${usage?.cachedTokens ?? null}, completion_tokens = ${usage?.completionTokens ?? null}, reasoning_tokens = ${usage?.reasoningTokens ?? null},
      provider_status = ${provider?.status ?? null}, provider_code = ${provider?.code ?? null}, provider_request_id = ${provider?.requestId ?? null}
    where turn_id = ${turnId} and number = ${attempt} and (state = 'open' or (state in ('lost', 'stopped') and prompt_tokens is null))
    returning *) ${COUNT_UNPAID}`.execute(database.sql);
}
