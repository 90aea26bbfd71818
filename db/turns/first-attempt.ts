import { sql } from 'kysely';
import { HOLD_OUTLIVES_MS } from '../../domain/attempt-limits.ts';
import type { Instant } from '../../domain/period.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, type Database } from '../database.ts';
import { isLockTimeout } from '../driver/availability.ts';
import { Hold as HoldEntity } from '../entities/hold.ts';
import type { Hold } from '../money/holds.ts';
import { inLaneOfTurn } from './payer.ts';
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
