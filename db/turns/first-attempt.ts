import { sql } from 'kysely';
import type { ApiAnswer } from '../../domain/api-prompt.ts';
import { HOLD_OUTLIVES_MS } from '../../domain/attempt-limits.ts';
import type { Instant } from '../../domain/period.ts';
import type { Usage, UsageFigures } from '../../domain/usage.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, one, type Database } from '../database.ts';
import { isLockTimeout } from '../driver/availability.ts';
import { Hold as HoldEntity } from '../entities/hold.ts';
import type { Hold } from '../money/holds.ts';
import { inLaneOfTurn } from './payer.ts';
import { jsonOfAnswer } from './prompts.ts';
import type { AdmissionContext } from './reserve.ts';
import { turnColumns, type TurnRow } from './row.ts';

/** A model call of a turn that is under way. */
export interface OpenedAttempt {
  readonly kind: 'opened';
  /** Ordinal of the attempt's row. PostgreSQL gives it, because Temporal's restarts at 1 after a replay or reset. */
  readonly number: number;
  /** No further attempt follows in this run. */
  readonly isLast: boolean;
  readonly turn: TurnRow;
  readonly hold: Hold;
  /** An attempt of this run brought an empty answer: another is not followed by a third (policy 11). */
  readonly wasEmpty: boolean;
  /** Told to the reader when earlier text was, or may have been, shown. */
  readonly restarted: 'retry' | 'replay' | null;
}

export interface AttemptContext extends AdmissionContext {
  /** How often Temporal has given out this task of the run: 1, and one more for each time it thought it lost. */
  readonly temporalAttempt: number;
  /** When it gave it out for the last time. */
  readonly scheduledAt: Instant;
  /** How long it lets the task run. */
  readonly limitMs: number;
}

/**
 * Opens the first attempt of a turn that its run has just admitted, as nearly every turn's is: one statement, whose
 * function locks, looks and writes (`open_first_attempt`), instead of a transaction of seven. What it may not take it
 * leaves as it was: a turn that somebody stopped, ended or admitted anew, one that has had an attempt, a hold with less
 * than a minute to live.
 * @returns null when it did not open one, or somebody holds the account's row for long: `openAttempt` decides.
 */
export async function openFirstAttempt(
  database: Database,
  turnId: string,
  { runId, temporalAttempt, limitMs }: AttemptContext,
): Promise<OpenedAttempt | null> {
  const at = database.sql.clock();
  const until = sql`${at} + ${limitMs + HOLD_OUTLIVES_MS} * interval '1 millisecond'`;
  const row = await inLaneOfTurn(database, { turnId, isPatient: true }, () =>
    // What is read beside the function is older than its locks. It is what admission wrote before the task was given
    // out, and the function has found that nobody wrote the turn since.
    first(
      sql<OpenedRow>`select ${turnColumns}, ${holdColumns}
        from open_first_attempt(${turnId}, ${runId}, ${temporalAttempt}, ${at}, ${until}) as opened(hold_id)
        join holds h on h.id = opened.hold_id join turns t on t.id = h.turn_id`,
      database.sql,
    ),
  ).catch((error: unknown) => {
    if (isLockTimeout(error)) return null;
    throw error;
  });
  if (row === null) return null;
  const { holdId, holdTokens, holdPromptTokens, holdOutputLimit, historyFrom, filesFrom, rateId, ...rest } = row;
  const { rateInput, rateCachedInput, rateOutput, ...turn } = rest;
  return {
    kind: 'opened',
    number: 1,
    isLast: false,
    wasEmpty: false,
    restarted: null,
    turn,
    hold: {
      id: holdId,
      turnId,
      runId,
      state: 'pending',
      tokens: holdTokens,
      promptTokens: holdPromptTokens,
      outputLimit: holdOutputLimit,
      historyFrom,
      filesFrom,
      rateId,
      rate: { input: rateInput, cachedInput: rateCachedInput, output: rateOutput },
      isLive: true,
    },
  };
}

export interface AnswerToStore {
  readonly turnId: string;
  readonly attempt: number;
  readonly outcome: 'completed' | 'stopped';
  readonly text: string;
  /** Tokenizer count of the text, for the history of later prompts. */
  readonly textTokens: number;
  readonly usage: Usage;
  readonly estimated: boolean;
  /** The provider's own figures, where ours count instead of them. */
  readonly figures: UsageFigures | null;
  readonly finishReason: 'stop' | 'length' | null;
  readonly finishWord: string | null;
  readonly finishUnknown: boolean;
  readonly streamEntries: number | null;
  readonly providerRequestId: string | null;
  /** From the admission of the run until the model's first delta. */
  readonly firstDeltaMs?: number | null;
  /** What a turn of the OpenAI door answers beside the text. */
  readonly api?: ApiAnswer | null;
}

/**
 * Stores the answer of an attempt as nearly every one is stored: one statement, whose function locks, looks and writes
 * (`store_answer_at_once`), instead of a transaction of seven.
 * @returns false when it changed nothing, or somebody holds the account's row for long: `storeAnswer` decides.
 */
export async function storeAnswerAtOnce(database: Database, answer: AnswerToStore): Promise<boolean> {
  const { turnId, usage, figures, api = null } = answer;
  const told = api === null ? null : jsonOfAnswer(api);
  const { isStored } = await inLaneOfTurn(database, { turnId, isPatient: true }, () =>
    one(
      sql<{
        isStored: boolean;
      }>`select store_answer_at_once(${turnId}, ${answer.attempt}, ${database.sql.clock()}, ${answer.outcome},
        ${withoutNul(answer.text)}, ${answer.textTokens}, ${answer.streamEntries}, ${usage.promptTokens}, ${usage.cachedTokens},
        ${usage.completionTokens}, ${usage.reasoningTokens}, ${answer.estimated}, ${answer.finishReason}, ${answer.finishWord},
        ${answer.finishUnknown}, ${answer.providerRequestId}, ${figures === null ? null : JSON.stringify(figures)}, ${answer.firstDeltaMs ?? null},
        ${told}) as "isStored"`,
      database.sql,
    ),
  ).catch((error: unknown) => {
    if (isLockTimeout(error)) return { isStored: false };
    throw error;
  });
  return isStored;
}

/** PostgreSQL's text cannot hold NUL, and an answer that is paid for must not be lost to one. */
export function withoutNul(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

const holdColumns = columnsOf(HoldEntity, 'h', {
  holdId: 'id',
  holdTokens: 'tokens',
  holdPromptTokens: 'promptTokens',
  holdOutputLimit: 'outputLimit',
  historyFrom: 'historyFrom',
  filesFrom: 'filesFrom',
  rateId: 'rateId',
  rateInput: 'rateInput',
  rateCachedInput: 'rateCachedInput',
  rateOutput: 'rateOutput',
});
type OpenedRow = TurnRow & RowOf<typeof holdColumns>;
