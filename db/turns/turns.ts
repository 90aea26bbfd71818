import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import { mayJoin, mayRunAgain } from '../../domain/sending.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { first, reportEnding, violatedConstraint, type Database, type Tx } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { lockingTurn } from './payer.ts';
import { findTurnRow, lockTurn, recordOf, type LockedTurn, type TurnRow } from './row.ts';

/** @param userId the person who asks: another's turn is not found. Null: anybody's (admins, the worker). */
export async function findTurn(
  database: Database,
  { turnId, userId }: { turnId: string; userId: number | null },
): Promise<TurnRecord | null> {
  const row = await findTurnRow(database.sql, turnId);
  return row === null || (userId !== null && row.userId !== userId) ? null : recordOf(row);
}

/**
 * Reopens a turn for the person's retry or an admin's replay: failed | refused → accepted by compare-and-set, so that
 * two at once start one run. A retry joins a turn that was accepted and never held: the press that opened it may have
 * been lost.
 * @param byKey the key of ours with which the person asks: its cap holds from here on.
 * @throws AppError not_found, turn_erased, turn_not_failed, account_suspended, conversation_busy. OutcomeUnknown with
 *   `turnId`: `findReopened` tells what became of it.
 */
export async function reopenTurn(
  database: Database,
  retry: { turnId: string; userId: number | null; reason: 'retry' | 'replay'; byKey?: number | null },
): Promise<TurnRecord> {
  const { turnId, userId, reason, byKey } = retry;
  return naming({ turnId }, () =>
    lockingTurn(database, { turnId }, async (tx) => {
      const row = await lockTurn(tx, turnId);
      if (row === null || (userId !== null && row.userId !== userId)) throw new AppError('not_found');
      if (mayJoin(row, reason)) return recordOf(row);
      const reopened = await reopenLocked(tx, row, reason);
      if (byKey !== undefined) tx.write(sql`update turns set api_key_id = ${byKey} where id = ${turnId}`);
      return reopened;
    }),
  );
}

/** What a retry or a replay has opened whose outcome was unknown; null while the turn stands as it had ended. */
export async function findReopened(database: Database, turnId: string): Promise<TurnRecord | null> {
  const turn = await findTurn(database, { turnId, userId: null });
  return turn === null || turn.state === 'failed' || turn.state === 'refused' ? null : turn;
}

/**
 * Does what `reopenTurn` does, for a holder of the turn's locks.
 * @throws AppError turn_erased, turn_not_failed, nobody_waits, account_suspended, conversation_busy.
 */
export async function reopenLocked(tx: Tx, row: LockedTurn, reason: 'retry' | 'replay'): Promise<TurnRecord> {
  if (row.erasedAt !== null) throw new AppError('turn_erased', { turnId: row.id });
  if (!mayRunAgain(row.state, reason)) throw new AppError('turn_not_failed', { turnId: row.id, state: row.state });
  if (row.isApi) throw new AppError('nobody_waits', { turnId: row.id });
  if (row.suspended) throw new AppError('account_suspended');
  return recordOf(await reopen(tx, row, reason));
}

/**
 * Makes an ended turn ready to be admitted again. The caller holds the turn's locks. A refused turn was never part of
 * the conversation, so it takes the next sequence number. @throws AppError conversation_busy when another turn runs
 * there.
 */
export async function reopen(tx: Tx, row: TurnRow, reason: 'retry' | 'replay' | 'reset' | 'send'): Promise<TurnRow> {
  const sequence = row.state === 'refused' ? await nextSequence(tx, row.conversationId) : row.sequence;
  const replayed = row.state === 'failed' && (reason === 'replay' || reason === 'reset');
  try {
    await sql`update turns set state = 'accepted', sequence = ${sequence}, run_reason = ${reason}, admitted_at = null, ended_at = null,
      error_code = null, output_limit = null, stop_requested_at = null, touched_at = clock_timestamp(),
      replayed_at = case when ${replayed} then now() else replayed_at end
      where id = ${row.id} and state in ('failed', 'refused')`.execute(tx);
  } catch (error) {
    if (violatedConstraint(error) === 'turns_one_running_a_conversation')
      throw new AppError('conversation_busy', { retryAfter: 5 }, { cause: error });
    throw error;
  }
  const reopened = await findTurnRow(tx, row.id);
  if (reopened?.state !== 'accepted') throw new Error('a reopened turn must be accepted');
  return reopened;
}

export async function nextSequence(tx: Tx, conversationId: string): Promise<number> {
  const { rows } = await sql<{ sequence: number }>`
    update conversations set last_sequence = last_sequence + 1 where id = ${conversationId} returning last_sequence as sequence`.execute(
    tx,
  );
  const [row] = rows;
  if (row === undefined) throw new AppError('not_found');
  return row.sequence;
}

/**
 * Writes the stop on the turn's row before anybody is told: the worker reads it when it reserves and when it opens an
 * attempt.
 * @throws AppError not_found.
 */
export async function requestStop(
  database: Database,
  { turnId, userId }: { turnId: string; userId: number },
): Promise<TurnRecord> {
  await sql`update turns set stop_requested_at = now()
    where id = ${turnId} and user_id = ${userId} and state in ('accepted', 'running') and stop_requested_at is null`.execute(
    database.sql,
  );
  const turn = await findTurn(database, { turnId, userId });
  if (turn === null) throw new AppError('not_found');
  return turn;
}

/** Whether a run holds the turn or has ended it, so that none has to be started. */
export async function isTaken(database: Database, turnId: string): Promise<boolean> {
  const taken = await first(
    sql`select 1 from turns where id = ${turnId} and (admitted_at is not null or state not in ('accepted', 'running'))`,
    database.sql,
  );
  return taken !== null;
}

/** Whether a live turn's person has asked to stop it. */
export async function isStopRequested(database: Database, turnId: string): Promise<boolean> {
  const stopped = await first(
    sql`select 1 from turns where id = ${turnId} and state in ('accepted', 'running') and stop_requested_at is not null`,
    database.sql,
  );
  return stopped !== null;
}

export type Unbound = { outcome: 'failed'; code: 'interrupted' } | { outcome: 'refused'; code: 'unavailable' };

/**
 * Unbinds a turn whose start definitely failed. A turn that was never admitted becomes refused, one that was (a retry,
 * a replay) goes back to failed. Nothing happens when a worker has it after all.
 * @returns whether it was unbound.
 */
export async function unbindTurn(database: Database, { turnId }: { turnId: string }): Promise<boolean> {
  return (await unbind(database, { turnId, byRun: null })) !== null;
}

/**
 * Unbinds a turn whose run finds its account locked. It leaves alone what nobody waits for (a replay, a reset) and what
 * is to be stopped. @returns null when nothing was done.
 */
export function giveUpRun(database: Database, run: { turnId: string; runId: string }): Promise<Unbound | null> {
  return unbind(database, { turnId: run.turnId, byRun: run.runId });
}

/** Takes the lock of the turn's row alone, so it does not wait for the account. */
function unbind(
  database: Database,
  { turnId, byRun }: { turnId: string; byRun: string | null },
): Promise<Unbound | null> {
  return database.transaction(async (tx) => {
    const row = await first(
      sql<{ everAdmitted: boolean; model: string }>`
      update turns set state = case when ever_admitted then 'failed' else 'refused' end, run_id = coalesce(${byRun}, run_id),
        error_code = case when ever_admitted then 'interrupted' else 'unavailable' end, ended_at = now(), touched_at = clock_timestamp()
      where id = ${turnId} and state = 'accepted' and admitted_at is null
        and (${byRun}::text is null or (run_reason in ('send', 'retry') and stop_requested_at is null))
      returning ever_admitted as "everAdmitted", model`,
      tx,
    );
    if (row === null) return null;
    const unbound: Unbound = row.everAdmitted
      ? { outcome: 'failed', code: 'interrupted' }
      : { outcome: 'refused', code: 'unavailable' };
    reportEnding(tx, { ...unbound, turnId, model: row.model, debitedTokens: 0 });
    return unbound;
  });
}

/** Accepted and running turns of everybody, by account, which the service has promised to finish. */
export async function countLiveTurns(database: Database): Promise<ReadonlyMap<number, number>> {
  const { rows } = await sql<{ accountId: number; count: number }>`
    select account_id as "accountId", count(*)::int as count from turns where state in ('accepted', 'running')
    group by account_id`.execute(database.sql);
  return new Map(rows.map(({ accountId, count }) => [accountId, count]));
}
