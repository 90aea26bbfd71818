import { sql } from 'kysely';
import { AppError, type ErrorCode } from '../domain/errors.ts';
import type { Instant } from '../domain/period.ts';
import { isAnswered, isLive } from '../domain/turn.ts';
import type { Ended, Released, ReleaseReason, StoredAnswer } from '../workflows/contract.ts';
import { first, one, type Database, type Tx } from './database.ts';
import { findPendingHold, moveHold } from './holds.ts';
import { lockTurn, type TurnRow } from './turn-row.ts';

type Ending =
  | { readonly state: 'stopped' }
  | { readonly state: 'failed' | 'refused'; readonly code: ErrorCode };

/**
 * Ends a live turn that has no answer: its hold is released, its open attempts are over, nothing is charged. Under the turn's locks.
 * `code` of a failure that nobody retries is final; see TURN_FAILURES.
 */
export async function endTurn(tx: Tx, row: TurnRow, ending: Ending): Promise<void> {
  const hold = await findPendingHold(tx, row.id);
  if (hold !== null) await moveHold(tx, hold.id, 'released');
  const code = ending.state === 'stopped' ? null : ending.code;
  // A turn stopped before its first delta used nothing, and says so.
  const nothing = ending.state === 'stopped' ? 0 : null;
  await sql`with ended as (
      update attempts set state = ${ending.state === 'stopped' ? 'stopped' : 'lost'}, ended_at = now() where turn_id = ${row.id} and state = 'open'
    )
    update turns set state = ${ending.state}, error_code = ${code}, ended_at = now(), touched_at = now(),
      prompt_tokens = ${nothing}, completion_tokens = ${nothing}, debited_tokens = ${nothing}
    where id = ${row.id}`.execute(tx);
}

/**
 * The end of a run that brought no answer. An answer stored after all is handed back to be settled; an ended turn keeps its
 * ending; a claim that a newer run has made since `scheduledAt` is left alone (this call then comes from a run that is gone).
 */
export async function releaseTurn(
  database: Database, { turnId, runId, reason, scheduledAt }: { turnId: string; runId: string; reason: ReleaseReason; scheduledAt: Instant },
): Promise<Released> {
  return database.transaction(async (tx) => {
    const row = await lockTurn(tx, turnId);
    if (row === null) throw new AppError('not_found');
    const over = await findEnding(tx, row);
    if (over !== null) return over;
    const fenced = await first(sql`select 1 from holds where turn_id = ${turnId} and state = 'pending' and run_id <> ${runId}
      and created_at > ${new Date(scheduledAt)}`, tx);
    if (fenced !== null) return { kind: 'failed', code: 'interrupted' };
    await endTurn(tx, row, reason.as === 'stopped' ? { state: 'stopped' } : { state: 'failed', code: reason.code });
    return reason.as === 'stopped' ? { kind: 'ended', state: 'stopped' } : { kind: 'failed', code: reason.code };
  });
}

/** What is already decided about the turn: its ending, or an answer that waits for settle. Null: it is live and unanswered. */
export async function findEnding(tx: Tx, row: TurnRow): Promise<Ended | { kind: 'answered'; answer: StoredAnswer } | null> {
  if (isAnswered(row.state)) return { kind: 'ended', state: row.state };
  if (row.state === 'refused') return { kind: 'ended', state: 'refused' };
  if (row.state === 'failed') return { kind: 'failed', code: failureOf(row) };
  if (isLive(row.state) && row.answerAttempt !== null) return { kind: 'answered', answer: await getStoredAnswer(tx, row) };
  return null;
}

function failureOf(row: TurnRow) {
  const code = row.errorCode;
  switch (code) {
    case 'model_unavailable': case 'model_rate_limited': case 'model_timeout': case 'model_rejected': case 'content_filtered':
    case 'context_length': case 'interrupted': case 'TOKEN_EXHAUSTED': case 'conversation_busy':
      return code;
    default:
      throw new Error(`a failed turn must have a failure code, not ${code ?? 'none'}`);
  }
}

/** The figures of the stored answer, from its attempt. */
export async function getStoredAnswer(tx: Tx, row: TurnRow): Promise<StoredAnswer> {
  return one(sql<StoredAnswer>`select number as attempt, case state when 'answered' then 'completed' else 'stopped' end as outcome,
      prompt_tokens as "promptTokens", cached_tokens as "cachedTokens", completion_tokens as "completionTokens", estimated
    from attempts where turn_id = ${row.id} and number = ${row.answerAttempt}`, tx);
}
