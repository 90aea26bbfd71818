import { sql } from 'kysely';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Encoding } from '../../domain/model.ts';
import type { RunReason, TurnRecord, TurnState, TurnUsage } from '../../domain/turn.ts';
import type { Warning } from '../../domain/usage-state.ts';
import { first, type Sql, type Tx } from '../database.ts';

/** A turn's row, with what only the path of the money needs beside the record that readers get. */
export interface TurnRow {
  id: string;
  userId: number;
  accountId: number;
  conversationId: string;
  sequence: number;
  state: TurnState;
  model: string;
  askedOutput: number | null;
  outputLimit: number | null;
  bodyHash: Buffer;
  question: string;
  questionTokens: number;
  encoding: Encoding;
  answer: string | null;
  answerAttempt: number | null;
  streamEntries: number | null;
  attempt: number;
  runId: string | null;
  runReason: RunReason;
  finishReason: 'stop' | 'length' | null;
  errorCode: ErrorCode | null;
  promptTokens: number | null;
  completionTokens: number | null;
  debitedTokens: number | null;
  estimated: boolean | null;
  warning: Warning | null;
  stopRequestedAt: number | null;
  everAdmitted: boolean;
  admittedAt: number | null;
  replayedAt: number | null;
  createdAt: number;
  endedAt: number | null;
}

const FIGURES = `
  t.id, t.user_id::float8 as "userId", t.account_id::float8 as "accountId", t.conversation_id as "conversationId", t.sequence, t.state, t.model,
  t.asked_output as "askedOutput", t.output_limit as "outputLimit", t.body_hash as "bodyHash", t.question_tokens as "questionTokens",
  t.encoding, t.answer_attempt as "answerAttempt", t.stream_entries as "streamEntries", t.attempt, t.run_id as "runId",
  t.run_reason as "runReason", t.finish_reason as "finishReason", t.error_code as "errorCode", t.prompt_tokens as "promptTokens",
  t.completion_tokens as "completionTokens", t.debited_tokens::float8 as "debitedTokens", t.estimated, t.warning,
  floor(extract(epoch from t.stop_requested_at) * 1000)::float8 as "stopRequestedAt", t.ever_admitted as "everAdmitted",
  floor(extract(epoch from t.admitted_at) * 1000)::float8 as "admittedAt", floor(extract(epoch from t.created_at) * 1000)::float8 as "createdAt",
  floor(extract(epoch from t.ended_at) * 1000)::float8 as "endedAt", floor(extract(epoch from t.replayed_at) * 1000)::float8 as "replayedAt"`;

export const turnColumns = sql.raw(`${FIGURES}, t.question, t.answer`);
/** Without the texts, which are up to 32,000 characters each. */
export const turnFigures = sql.raw(FIGURES);

/**
 * Locks account and turn in the one order that everybody keeps (account, conversation, turn), in one statement.
 * PostgreSQL locks in the order of `for … of`, and rereads all three rows after having waited for any of them. NO KEY:
 * a plain UPDATE lock would stand against the foreign keys of a row being inserted, which are checked under the
 * conversation's lock: a deadlock.
 */
export async function lockTurn(tx: Tx, turnId: string): Promise<LockedTurn | null> {
  return first(
    sql<LockedTurn>`select ${turnColumns}, a.suspended_at is not null as suspended from accounts a join turns t on t.account_id = a.id join conversations c on c.id = t.conversation_id
    where t.id = ${turnId} for no key update of a, c, t`,
    tx,
  );
}

/** A turn under its locks. */
export interface LockedTurn extends TurnRow {
  /** Its account may not run turns, as the account's lock holder knows it. */
  suspended: boolean;
}

export async function findTurnRow(on: Sql, turnId: string): Promise<TurnRow | null> {
  return first(sql<TurnRow>`select ${turnColumns} from turns t where t.id = ${turnId}`, on);
}

export function recordOf(row: TurnRow): TurnRecord {
  return {
    turnId: row.id,
    userId: row.userId,
    accountId: row.accountId,
    conversationId: row.conversationId,
    sequence: row.sequence,
    state: row.state,
    model: row.model,
    attempt: row.attempt,
    content: row.answer,
    streamEntries: row.streamEntries,
    usage: usageOf(row),
    warning: row.warning,
    finishReason: row.finishReason,
    askedOutput: row.askedOutput,
    outputLimit: row.outputLimit,
    error: row.errorCode,
    stopRequestedAt: row.stopRequestedAt,
    runId: row.runId,
    runReason: row.runReason,
    admittedAt: row.admittedAt,
    replayedAt: row.replayedAt,
    createdAt: row.createdAt,
    endedAt: row.endedAt,
  };
}

export type UsageColumns = Pick<TurnRow, 'promptTokens' | 'completionTokens' | 'debitedTokens' | 'estimated'>;

export function usageOf({ promptTokens, completionTokens, debitedTokens, estimated }: UsageColumns): TurnUsage | null {
  if (promptTokens === null || completionTokens === null) return null;
  return {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    debitedTokens: debitedTokens ?? 0,
    estimated: estimated ?? false,
  };
}
