import { sql } from 'kysely';
import { promptTokens, textOfPrompt } from '../../domain/api-prompt.ts';
import { decideAdmission, type AdmissionDecision } from '../../domain/admission.ts';
import { holdTimeoutMs } from '../../domain/attempt-limits.ts';
import { AppError, isTurnRefusal, type TurnFailureCode } from '../../domain/errors.ts';
import { isSeenBy } from '../../domain/files/file.ts';
import type { Model, PricedModel } from '../../domain/model.ts';
import { systemText, type TurnInstructions } from '../../domain/own-instructions.ts';
import { countPrompt } from '../../domain/prompt-tokens.ts';
import { titleOf } from '../../domain/title.ts';
import { isAnswered, isLive, type TurnRecord } from '../../domain/turn.ts';
import type { Reserved } from '../../workflows/contract/turn.ts';
import type { Database, Tx } from '../database.ts';
import { isLockTimeout } from '../driver/availability.ts';
import { jsonOf, keepInstructions } from '../conversations/own-instructions.ts';
import { filesOfTurns, weighFiles, type FileFigures } from '../files/turn-files.ts';
import { openAccount } from '../money/accounts.ts';
import { findPendingHold, moveHold, openHold, type Hold } from '../money/holds.ts';
import { capOf } from '../money/key-caps.ts';
import { countRefusal } from '../money/refusals.ts';
import { findRoom, type Room } from '../money/room.ts';
import { parentOf } from './branches.ts';
import { endTurn, findEnding, getStoredAnswer } from './end.ts';
import { lockingTurn } from './payer.ts';
import { getPrompt } from './prompts.ts';
import { lockTurn, recordOf, type LockedTurn, type TurnRow } from './row.ts';
import { readHistory, type CountTokens } from './transcript.ts';
import { giveUpRun, reopen } from './turns.ts';

/** What admission needs beside the database. */
export interface AdmissionContext {
  /** Temporal's run id. With the turn it identifies the hold. */
  readonly runId: string;
  findModel(name: string): PricedModel | null;
  readonly countTokens: CountTokens;
}

/** How a run comes to a turn. */
export interface Coming {
  /** It was cancelled before it began. */
  readonly cancelled: boolean;
  /** An admin reset the turn's workflow: the one way in which a run opens an ended turn. */
  readonly isReset: boolean;
}

/**
 * Check and hold in one atomic step under the account's lock (G1), idempotent by (turn, run). A turn that is over
 * answers its ending, no hold, no model call: a start may arrive long after it was sent, when another run has ended the
 * turn. Only a reset in the Temporal UI opens a failed or refused turn here, unless this very run has ended it (G34).
 */
export async function reserveTurn(
  database: Database,
  turnId: string,
  coming: Coming,
  context: AdmissionContext,
): Promise<ReservedHere> {
  try {
    const reserved = await lockingTurn(database, { turnId }, async (tx) => {
      const [row, pending, room] = await Promise.all([
        lockTurn(tx, turnId),
        findPendingHold(tx, turnId),
        findRoom(tx, turnId),
      ]);
      if (row === null) throw new AppError('not_found');
      return reserveLocked(tx, { row, pending, room }, coming, context);
    });
    if (reserved.kind !== 'held') return reserved;
    const { hold, row } = reserved;
    const { id: holdId, outputLimit } = hold;
    return { kind: 'held', holdId, outputLimit, model: row.model, turn: recordOf(row) };
  } catch (error) {
    // Another turn runs in the conversation, so the reset run fails and the turn stays as it was.
    if (error instanceof AppError && error.code === 'conversation_busy')
      return { kind: 'failed', code: 'conversation_busy' };
    if (!isLockTimeout(error) || coming.cancelled) throw error;
    // Somebody holds the account's row for long. The person is told so now, and nothing stays bound.
    const unbound = await giveUpRun(database, { turnId, runId: context.runId });
    if (unbound === null) throw error;
    return unbound.outcome === 'refused' ? { kind: 'ended', state: 'refused' } : { kind: 'failed', code: unbound.code };
  }
}

/** With a hold comes the turn as it was committed, for whoever waits in this process. It holds chat text. */
export type ReservedHere =
  (Extract<Reserved, { kind: 'held' }> & { readonly turn: TurnRecord }) | Exclude<Reserved, { kind: 'held' }>;

export type ReservedLocked =
  { readonly kind: 'held'; readonly hold: Hold; readonly row: TurnRow } | Exclude<Reserved, { kind: 'held' }>;

/** What was read behind the lock. `room` is there only where an admission is to be expected. */
export interface Locked {
  readonly row: LockedTurn;
  readonly pending: Hold | null;
  readonly room: Room | null;
}

/** All of reserve, for a holder of the turn's locks. An attempt that opens under a lost hold uses it, too. */
export async function reserveLocked(
  tx: Tx,
  { row, pending, room }: Locked,
  { cancelled, isReset }: Coming,
  context: AdmissionContext,
): Promise<ReservedLocked> {
  if (isAnswered(row.state)) return { kind: 'ended', state: row.state };
  if (isLive(row.state) && row.answerAttempt !== null) {
    return { kind: 'answered', answer: await getStoredAnswer(tx, row) };
  }
  if (isLive(row.state) && (cancelled || row.stopRequestedAt !== null)) {
    await endTurn(tx, row, { outcome: 'stopped', code: null }, context.runId);
    return { kind: 'ended', state: 'stopped' };
  }
  // What its person was told stands (policy 13), whichever run comes: one that was started late, or the one that ended
  // the turn and judges again because nobody heard its answer. A run that was reset and cancelled before it began
  // leaves the turn its ending, so that it may still be run again. Whoever asked through the OpenAI door was told how
  // it ended, and is gone. What was erased never runs again.
  if (!isReset || cancelled || row.isApi || row.erasedAt !== null || row.runId === context.runId) {
    const over = await findEnding(tx, row);
    if (over !== null) return over;
  }
  if (pending !== null && isLive(row.state) && pending.runId === context.runId && pending.isLive) {
    return { kind: 'held', hold: pending, row };
  }
  if (row.suspended) return refuseSuspended(tx, row, context);
  const open = isLive(row.state) ? row : { ...row, ...(await reopen(tx, row, 'reset')) };
  return admit(tx, { row: open, pending, room }, context);
}

async function admit(tx: Tx, { row, pending, room }: Locked, context: AdmissionContext): Promise<ReservedLocked> {
  if (pending !== null) moveHold(tx, pending.id, pending.isLive ? 'released' : 'expired');
  const model = context.findModel(row.model);
  if (model === null) return refuse(tx, row, 'model_rejected', context);
  const own = await weighOwnFiles(tx, row, model, context);
  if (own === null) return refuse(tx, row, 'model_rejected', context);
  const measured = room ?? (await findRoom(tx, row.id));
  if (measured === null) throw new Error(`turn ${row.id} has no payer`);
  const account = await openAccount(tx, measured);
  const { instructions } = measured;
  const asked = {
    balance: account.balance,
    heldByOthers: measured.heldByOthers,
    cap: capOf(measured, measured.periodId !== account.periodId),
    model,
    askedOutput: row.askedOutput,
    history:
      row.sequence === 1 || row.parentSequence === 0 ? [] : await readHistory(tx, row, model, context.countTokens),
  };
  const judge = async (told: TurnInstructions | null) => {
    const base = await baseTokens(tx, row, { model, instructions: told }, context);
    return decideAdmission({ ...asked, baseTokens: base + own.tokens });
  };
  const decision = await judge(instructions);
  if (decision.kind === 'context_length') return refuse(tx, row, 'context_length', context);
  if (decision.kind === 'refused') {
    if (decision.code === 'TOKEN_EXHAUSTED') tx.write(countRefusal(account));
    const inTheWay = instructions !== null && isSpent(decision) && !isSpent(await judge(null));
    keepInstructions(tx, row, { instructions, inTheWay });
    return refuse(tx, row, decision.code, context);
  }
  const hold = openHold(tx, {
    accountId: row.accountId,
    turnId: row.id,
    runId: context.runId,
    size: decision.hold,
    rate: model.rate,
    forMs: holdTimeoutMs(decision.hold.outputLimit),
  });
  return { kind: 'held', hold, row: markAdmitted(tx, row, { runId: context.runId, hold, instructions }) };
}

/** Whether only more tokens, or a higher cap, would let it in. */
function isSpent(decision: AdmissionDecision): boolean {
  return decision.kind === 'refused' && decision.code !== 'tokens_held';
}

/** @returns the row as it is then, but for the number of the turn that it follows, which the statement finds. */
function markAdmitted(
  tx: Tx,
  row: LockedTurn,
  { runId, hold, instructions }: { runId: string; hold: Hold; instructions: TurnInstructions | null },
): TurnRow {
  const listed = sql`with listed as (
      update conversations set listed_at = coalesce(listed_at, now()), updated_at = now(), title = coalesce(title, ${titleOf(row.question)})
      where id = ${row.conversationId}
    ) `;
  tx.write(sql`${row.isApi ? sql`` : listed}update turns own set state = 'accepted', parent_sequence = ${parentOf('own')}, run_id = ${runId}, admitted_at = now(), ever_admitted = true, output_limit = ${hold.outputLimit}, instructions = ${jsonOf(instructions)}, touched_at = clock_timestamp()
    where id = ${row.id}`);
  const { begunAt: admittedAt } = row;
  const { outputLimit } = hold;
  return { ...row, state: 'accepted', runId, admittedAt, everAdmitted: true, outputLimit, instructions };
}

/**
 * Ends a turn that finds no room or whose account is suspended. A turn that was never admitted is refused and binds
 * nothing. One that was admitted before is failed, and may be run again after a purchase. What cannot succeed at all
 * (context length, a model gone from the catalogue) fails either way.
 */
async function refuse(
  tx: Tx,
  row: TurnRow,
  code: TurnFailureCode | 'tokens_held',
  { runId }: AdmissionContext,
): Promise<ReservedLocked> {
  if (isTurnRefusal(code) && !row.everAdmitted) {
    await endTurn(tx, row, { outcome: 'refused', code }, runId);
    return { kind: 'ended', state: 'refused' };
  }
  const failure = code === 'tokens_held' ? 'TOKEN_EXHAUSTED' : code;
  await endTurn(tx, row, { outcome: 'failed', code: failure }, runId);
  return { kind: 'failed', code: failure };
}

/**
 * A suspended account's live turn is refused or fails. A turn that had ended (a reset came) keeps its ending and its
 * error.
 */
async function refuseSuspended(tx: Tx, row: TurnRow, context: AdmissionContext): Promise<ReservedLocked> {
  if (isLive(row.state)) return refuse(tx, row, 'account_suspended', context);
  return row.state === 'refused' ? { kind: 'ended', state: 'refused' } : { kind: 'failed', code: 'account_suspended' };
}

/** @returns null when the model cannot see one of the question's files: its catalogue entry has changed since. */
async function weighOwnFiles(
  tx: Tx,
  row: TurnRow,
  model: Model,
  { countTokens }: AdmissionContext,
): Promise<FileFigures | null> {
  if (row.fileCount === 0) return { tokens: 0, bytes: 0 };
  const files = (await filesOfTurns(tx, [row.id])).get(row.id) ?? [];
  if (!files.every((file) => isSeenBy(model, file))) return null;
  return weighFiles(tx, files, model, (text) => countTokens(text, model.encoding, row.accountId));
}

async function baseTokens(
  tx: Tx,
  row: TurnRow,
  { model, instructions }: { model: Model; instructions: TurnInstructions | null },
  { countTokens }: AdmissionContext,
): Promise<number> {
  const count = (text: string) => countTokens(text, model.encoding, row.accountId);
  if (row.isApi) {
    if (row.encoding === model.encoding) return row.questionTokens;
    const prompt = await getPrompt(tx, row.id);
    return promptTokens(await count(textOfPrompt(prompt)), prompt, model.vision);
  }
  const question = row.encoding === model.encoding ? row.questionTokens : await count(row.question);
  const system = systemText(model.instructions, instructions);
  return countPrompt(system === '' ? [question] : [await count(system), question]);
}
