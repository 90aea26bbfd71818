import { sql, type RawBuilder } from 'kysely';
import { TURN_FAILURE_CODES, type ErrorCode } from '../../domain/errors.ts';
import type { Span } from '../../domain/failure-buckets.ts';
import type { TurnFilter } from '../../domain/turn-filter.ts';
import { COUNTED_AT_MOST, type FailureCount } from './admin-turns.ts';
import type { Database } from '../database.ts';
import { matches } from './turn-filter.ts';

/** Which turns are counted. Their state is always failed, and the buckets say when. */
export type FailureFilter = Omit<TurnFilter, 'state' | 'from' | 'to'>;

/**
 * @param buckets oldest first, without gaps.
 * @returns each bucket with the codes of its failures, by the time the turns were accepted, most frequent first.
 */
export async function countFailuresOverTime(
  database: Database,
  { filter, buckets }: { filter: FailureFilter; buckets: readonly Span[] },
): Promise<(Span & { counts: FailureCount[] })[]> {
  const { rows } = await selectFailuresOverTime(filter, buckets).execute(database.reads);
  const counted = Map.groupBy(rows, ({ bucket }) => bucket);
  return buckets.map((span, i) => ({
    ...span,
    counts: (counted.get(i + 1) ?? []).map(({ code, count }) => ({
      code,
      count: Math.min(count, COUNTED_AT_MOST),
      more: count > COUNTED_AT_MOST,
    })),
  }));
}

/**
 * Counts each bucket and code up to a limit, each from a range of an index. The turns of one conversation are few and
 * have no such index, so they are read once instead. Buckets are numbered from 1. Exported for the test that checks the
 * query plan.
 */
export function selectFailuresOverTime(
  { code, ...rest }: FailureFilter,
  buckets: readonly Span[],
): RawBuilder<{ bucket: number; code: ErrorCode; count: number }> {
  const begins = buckets.map(({ from }) => new Date(from));
  if (rest.conversationId !== undefined) {
    const range = matches({ ...rest, code, state: 'failed', from: buckets[0]?.from, to: buckets.at(-1)?.to });
    return sql`select width_bucket(t.created_at, ${begins}::timestamptz[]) as bucket, t.error_code as code, count(*)::int as count from turns t
      where ${range} group by 1, 2 order by 1, 3 desc, 2`;
  }
  const codes = code === undefined ? TURN_FAILURE_CODES : [code];
  return sql`
    select bucket::int, code, count
    from unnest(${begins}::timestamptz[], ${buckets.map(({ to }) => new Date(to))}::timestamptz[]) with ordinality as buckets (begins, ends, bucket)
    cross join unnest(${codes}::text[]) as codes (code) cross join lateral (
      select count(*)::int as count from (
        select 1 from turns t where t.error_code = code and t.created_at >= begins and t.created_at < ends and ${matches({ ...rest, state: 'failed' })} limit ${COUNTED_AT_MOST + 1}
      ) counted
    ) counts
    where count > 0 order by bucket, count desc, code`;
}
