import { sql, type RawBuilder } from 'kysely';
import { ERROR_CODES, type ErrorCode } from '../../domain/errors.ts';
import type { TurnFilter } from '../../domain/turn-filter.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import type { Database } from '../database.ts';
import { matches } from './turn-filter.ts';
import { recordOf, turnFigures, type TurnRow } from '../turns/row.ts';

/**
 * Turns without their texts (`content` is null), newest first. Texts are read one by one, and each reading is audited.
 */
export async function listTurns(
  database: Database,
  list: { filter: TurnFilter; limit: number; cursor: string | null },
): Promise<Page<TurnRecord>> {
  const { rows } = await selectTurns(list).execute(database.reads).catch(rethrowBadCursor);
  const page = pageOf(rows, list.limit, (row) => encodeCursor([row.key, row.id]));
  return {
    ...page,
    items: page.items.map((row) => recordOf({ ...row, question: '', answer: null, instructions: null })),
  };
}

/** Exported for the test that checks the query plan. */
export function selectTurns({ filter, limit, cursor }: { filter: TurnFilter; limit: number; cursor: string | null }) {
  const after = cursor === null ? null : decodeCursor(cursor, ['string', 'string']);
  return sql<Omit<TurnRow, 'question' | 'answer' | 'instructions'> & { key: string }>`
    select ${turnFigures}, t.created_at::text as key from turns t
    where ${matches(filter)} ${after === null ? sql`` : sql`and (t.created_at, t.id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`}
    order by t.created_at desc, t.id desc limit ${limit + 1}`;
}

/** Failures are counted up to this number. Above it, an admin is shown "10,000+". */
export const COUNTED_AT_MOST = 10_000;

export interface FailureCount {
  readonly code: ErrorCode;
  readonly count: number;
  /** There are more than `count`. */
  readonly more: boolean;
}

/**
 * Matching failed turns by code, most frequent first. With `state: refused` it counts refused turns. Other states have
 * no code.
 */
export async function countFailures(database: Database, filter: TurnFilter): Promise<FailureCount[]> {
  const query = selectFailureCounts(filter);
  if (query === null) return [];
  const { rows } = await query.execute(database.reads);
  return rows.map(({ code, count }) => ({
    code,
    count: Math.min(count, COUNTED_AT_MOST),
    more: count > COUNTED_AT_MOST,
  }));
}

/**
 * Counts each code up to a limit, which bounds the cost however many turns failed. The turns of one conversation, and
 * those that were replayed, are few and are read once instead: by code they would be looked for among all failures (0.6
 * s for ten million turns). Exported for the test that checks the query plan.
 */
export function selectFailureCounts(filter: TurnFilter): RawBuilder<{ code: ErrorCode; count: number }> | null {
  const { code, state = 'failed', ...rest } = filter;
  if (state !== 'failed' && state !== 'refused') return null;
  if (rest.conversationId !== undefined || rest.replayed === true) {
    return sql`select error_code as code, count(*)::int as count from turns t where ${matches({ ...filter, state })} group by error_code order by count desc, code`;
  }
  const codes = code === undefined ? [...ERROR_CODES] : [code];
  return sql<{ code: ErrorCode; count: number }>`
    select code, count from unnest(${codes}::text[]) as codes (code) cross join lateral (
      select count(*)::int as count from (
        select 1 from turns t where t.error_code = code and ${matches({ ...rest, state })} limit ${COUNTED_AT_MOST + 1}
      ) counted
    ) counts
    where count > 0 order by count desc, code`;
}
