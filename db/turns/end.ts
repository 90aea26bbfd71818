import { sql } from 'kysely';
import { AppError, isTurnFailure, type TurnFailureCode } from '../../domain/errors.ts';
import type { Instant } from '../../domain/period.ts';
import { isAnswered, isLive, type TurnOutcome } from '../../domain/turn.ts';
import type { Ended, Released, ReleaseReason, StoredAnswer } from '../../workflows/contract/turn.ts';
import { columnsOf, type RowOf, type Whole } from '../columns.ts';
import { reportEnding, one, type Database, type Tx } from '../database.ts';
import { Attempt } from '../entities/attempt.ts';
import { tellOfFailure } from '../channels/tell-failure.ts';
import { findPendingHold, moveHold } from '../money/holds.ts';
import { lockingTurn } from './payer.ts';
import { lockTurn, type TurnRow } from './row.ts';

/**
 * Ends a live turn that has no answer: its hold is released, its open attempts are over, nothing is charged. Under the
 * turn's locks. `code` of a failure that nobody retries is final; see TURN_FAILURES.
 * @param runId the run that ends it, which is written down: should it judge again, it repeats this ending. Null leaves
 *   the run that was there.
 */
export async function endTurn(
  tx: Tx,
  row: TurnRow,
  ending: Exclude<TurnOutcome, { outcome: 'completed' }>,
  runId: string | null,
): Promise<void> {
  const hold = await findPendingHold(tx, row.id);
  if (hold !== null) moveHold(tx, hold.id, 'released');
  const { outcome, code } = ending;
  // A turn that was stopped before its first delta used nothing, and its figures say so.
  const nothing = outcome === 'stopped' ? 0 : null;
  tx.write(sql`with ended as (
      update attempts set state = ${outcome === 'stopped' ? 'stopped' : 'lost'}, ended_at = now() where turn_id = ${row.id} and state = 'open'
    )
    update turns set state = ${outcome}, error_code = ${code}, run_id = coalesce(${runId}, run_id), ended_at = now(), touched_at = clock_timestamp(),
      prompt_tokens = ${nothing}, completion_tokens = ${nothing}, debited_tokens = ${nothing}
    where id = ${row.id}`);
  if (outcome === 'failed') tellOfFailure(tx, row, code);
  reportEnding(tx, { ...ending, turnId: row.id, model: row.model, debitedTokens: 0 });
}

export interface Release {
  readonly turnId: string;
  /** Of the run that gives up; null of `reconcile`, which speaks for runs that are gone. */
  readonly runId: string | null;
  /** Set by an attempt that ends its turn by itself. */
  readonly attempt?: number;
  readonly reason: ReleaseReason;
  readonly scheduledAt: Instant;
}

/**
 * Ends a turn whose run brought no answer. An answer that was stored after all is returned, to be settled. An ended
 * turn keeps its ending.
 * @returns null when a newer run or attempt has the turn: it is left alone.
 */
export async function releaseTurn(database: Database, release: Release): Promise<Released | null> {
  const { turnId, reason } = release;
  return lockingTurn(database, { turnId, isPatient: true }, async (tx) => {
    const row = await lockTurn(tx, turnId);
    if (row === null) throw new AppError('not_found');
    const over = await findEnding(tx, row);
    if (over !== null) return over;
    if (await isSuperseded(tx, row, release)) return null;
    await endTurn(
      tx,
      row,
      reason.as === 'stopped' ? { outcome: 'stopped', code: null } : { outcome: 'failed', code: reason.code },
      release.runId,
    );
    return reason.as === 'stopped' ? { kind: 'ended', state: 'stopped' } : { kind: 'failed', code: reason.code };
  });
}

/**
 * Whether the caller comes too late. A run that has held or ended the turn may end it only while its admission stands:
 * a retry may have opened the turn again since, or a reset admitted another run. One that never did may not end a claim
 * made after its release was scheduled.
 */
export async function isSuperseded(
  tx: Tx,
  row: TurnRow,
  { runId, attempt, scheduledAt }: Omit<Release, 'turnId' | 'reason'>,
): Promise<boolean> {
  if (attempt !== undefined && row.attempt !== attempt) return true;
  if (runId !== null && row.runId === runId) return row.admittedAt === null;
  const { hasHeld, isNewer } = await one(
    sql<{ hasHeld: boolean; isNewer: boolean }>`select coalesce(bool_or(run_id = ${runId}), false) as "hasHeld",
      coalesce(bool_or(state = 'pending' and run_id is distinct from ${runId} and created_at > ${new Date(scheduledAt)}), false) as "isNewer"
    from holds where turn_id = ${row.id}`,
    tx,
  );
  return hasHeld || isNewer;
}

/**
 * What is decided about the turn already: its ending, or an answer that waits for settle. Null: it is live and
 * unanswered.
 */
export async function findEnding(
  tx: Tx,
  row: TurnRow,
): Promise<Ended | { kind: 'answered'; answer: StoredAnswer } | null> {
  if (isAnswered(row.state)) return { kind: 'ended', state: row.state };
  if (row.state === 'refused') return { kind: 'ended', state: 'refused' };
  if (row.state === 'failed') return { kind: 'failed', code: failureOf(row) };
  if (isLive(row.state) && row.answerAttempt !== null)
    return { kind: 'answered', answer: await getStoredAnswer(tx, row) };
  return null;
}

function failureOf({ errorCode }: TurnRow): TurnFailureCode {
  if (errorCode === null || !isTurnFailure(errorCode))
    throw new Error(`a failed turn must have a failure code, not ${errorCode ?? 'none'}`);
  return errorCode;
}

const answerFigures = columnsOf(Attempt, 'a', ['promptTokens', 'cachedTokens', 'completionTokens', 'estimated']);

/** The figures of the stored answer, from its attempt. */
export async function getStoredAnswer(tx: Tx, row: TurnRow): Promise<StoredAnswer> {
  return one(
    sql<
      Whole<RowOf<typeof answerFigures>> & Pick<StoredAnswer, 'attempt' | 'outcome'>
    >`select number as attempt, case state when 'answered' then 'completed' else 'stopped' end as outcome,
      ${answerFigures}
    from attempts a where turn_id = ${row.id} and number = ${row.answerAttempt}`,
    tx,
  );
}
