import { sql } from 'kysely';
import type { Instant } from '../../domain/period.ts';
import type { TurnRecord, TurnUsage } from '../../domain/turn.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, type Sql, type Tx } from '../database.ts';
import { Turn } from '../entities/turn.ts';

const FIGURES = [
  'id',
  'userId',
  'accountId',
  'conversationId',
  'sequence',
  'parentSequence',
  'state',
  'model',
  'askedOutput',
  'outputLimit',
  'bodyHash',
  'questionTokens',
  'encoding',
  'answerAttempt',
  'streamEntries',
  'attempt',
  'runId',
  'runReason',
  'finishReason',
  'errorCode',
  'promptTokens',
  'completionTokens',
  'debitedTokens',
  'estimated',
  'warning',
  'stopRequestedAt',
  'everAdmitted',
  'admittedAt',
  'createdAt',
  'endedAt',
  'replayedAt',
  'isApi',
  'erasedAt',
  'apiKeyId',
  'fileCount',
] as const;

export const turnColumns = columnsOf(Turn, 't', [...FIGURES, 'question', 'answer', 'instructions']);
/** A turn's columns without its texts, which have up to 32,000 characters each. */
export const turnFigures = columnsOf(Turn, 't', FIGURES);

/** A turn's row: the record that readers get, and what only admission and settle need. */
export type TurnRow = RowOf<typeof turnColumns>;

/**
 * Locks account, conversation and turn in one statement, in the one order that all code keeps. PostgreSQL locks in the
 * order of `for … of`, and rereads all three rows when it had to wait for any of them. The lock is NO KEY: the foreign
 * keys of a row being inserted are checked under the conversation's lock, and a plain UPDATE lock would deadlock with
 * them.
 */
export async function lockTurn(tx: Tx, turnId: string): Promise<LockedTurn | null> {
  return first(
    sql<LockedTurn>`select ${turnColumns}, a.suspended_at is not null as suspended, floor(extract(epoch from now()) * 1000)::float8 as "begunAt" from accounts a join turns t on t.account_id = a.id join conversations c on c.id = t.conversation_id
    where t.id = ${turnId} for no key update of a, c, t`,
    tx,
  );
}

/** A turn under its locks. */
export interface LockedTurn extends TurnRow {
  /** The account may not run turns. Read under its lock. */
  suspended: boolean;
  /** What `now()` is in this transaction: the time that its writes note. */
  begunAt: Instant;
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
    isApi: row.isApi,
    createdAt: row.createdAt,
    endedAt: row.endedAt,
    erasedAt: row.erasedAt,
    apiKeyId: row.apiKeyId,
    instructions: row.instructions,
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
