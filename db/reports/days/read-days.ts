import { sql } from 'kysely';
import { TURN_FAILURE_CODES } from '../../../domain/errors.ts';
import type { FirstDeltaCount } from '../../../domain/first-delta.ts';
import type { Instant } from '../../../domain/period.ts';
import { instantOf, one, type Database } from '../../database.ts';
import { firstDeltasOf } from './fold-days.ts';

/** Days `YYYY-MM-DD`, both included. */
export interface DayRange {
  readonly from: string;
  readonly to: string;
}

/** Today on the wall clock of an account. */
export function readToday(database: Database, accountId: number): Promise<{ timeZone: string; today: string }> {
  const on = database.reads;
  return one(
    sql<{ timeZone: string; today: string }>`
    select time_zone as "timeZone", (${on.clock()} at time zone time_zone)::date::text as today from accounts where id = ${accountId}`,
    on,
  );
}

/** What debits of all accounts used on a day by one model, in the model's tokens and as debited. */
export interface ModelDay {
  /** On the wall clock of each account, as it was when it was booked. */
  readonly day: string;
  readonly model: string;
  readonly turns: number;
  readonly promptTokens: number;
  /** Part of the prompt tokens. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly usedTokens: number;
}

export interface Days {
  readonly used: readonly ModelDay[];
  readonly firstDeltas: readonly (Pick<ModelDay, 'day' | 'model'> & FirstDeltaCount)[];
  /** All that was booked by then is in the figures. Behind now only while a ledger is added up for the first time. */
  readonly asOf: Instant;
}

/** The most entries beyond the figures of days that a reader adds up itself: more than 10 minutes of a busy day. */
export const MOST_LATE = 200_000;

/**
 * What was used on each day by each model: the figures of days, and what was booked since, in one snapshot. Adjustments
 * are no turn's and left out. The cost is that of the days and of the last minutes, however long the ledger is.
 */
export function readDays(database: Database, range: DayRange): Promise<Days> {
  return one(selectDays(database, range), database.reads);
}

/** Exported for the test that checks the query plan. */
export function selectDays(database: Database, { from, to }: DayRange) {
  const within = sql`day between ${from}::date and ${to}::date`;
  return sql<Days>`
    with late as materialized (
      select l.* from usage_day_marks m cross join lateral (
        select id, created_at, kind, day, rate_id, turn_id, prompt_tokens, cached_tokens, completion_tokens, tokens
        from ledger_entries where id > m.through_id order by id limit ${MOST_LATE}
      ) l where m.id = 1
    ), used as (
      select day, rate_id, turns, prompt_tokens, cached_tokens, completion_tokens, used_tokens from usage_days where ${within}
      union all select day, rate_id, 1, prompt_tokens, cached_tokens, completion_tokens, tokens from late where kind = 'debit' and ${within}
    ), begun as (
      select day, rate_id, below_ms, turns from first_delta_days where ${within}
      union all select day, rate_id, below_ms, 1 from (${firstDeltasOf('late')} and e.${within}) l
    )
    select
      (select coalesce(jsonb_agg(to_jsonb(d) order by d.day, d.model), '[]') from (
        select u.day, r.model, sum(u.turns) as turns, sum(u.prompt_tokens) as "promptTokens", sum(u.cached_tokens) as "cachedTokens",
          sum(u.completion_tokens) as "completionTokens", sum(u.used_tokens) as "usedTokens"
        from used u join model_rates r on r.id = u.rate_id group by u.day, r.model) d) as used,
      (select coalesce(jsonb_agg(to_jsonb(d)), '[]') from (
        select b.day, r.model, b.below_ms as "belowMs", sum(b.turns) as turns
        from begun b join model_rates r on r.id = b.rate_id group by b.day, r.model, b.below_ms) d) as "firstDeltas",
      coalesce((select extract(epoch from max(created_at))::float8 * 1000 from late having count(*) = ${MOST_LATE}), ${instantOf(database.reads)}) as "asOf"`;
}

/** How many turns of a day and model stand failed. */
export interface FailedDay {
  /** On the asking admin's wall clock, by when the turn was accepted. */
  readonly day: string;
  readonly model: string;
  readonly failures: number;
}

/** Counts a range of the index of failures, so the cost is that of what failed in it, however many turns there are. */
export async function readFailedDays(
  database: Database,
  { from, to, timeZone }: DayRange & { readonly timeZone: string },
): Promise<FailedDay[]> {
  return (await selectFailedDays({ from, to, timeZone }).execute(database.reads)).rows;
}

/** Exported for the test that checks the query plan. */
export function selectFailedDays({ from, to, timeZone }: DayRange & { readonly timeZone: string }) {
  return sql<FailedDay>`
    select (t.created_at at time zone ${timeZone})::date::text as day, t.model, count(*)::float8 as failures from turns t
    where t.error_code = any(${[...TURN_FAILURE_CODES]}::text[]) and t.state = 'failed'
      and t.created_at >= ${from}::date::timestamp at time zone ${timeZone} and t.created_at < (${to}::date + 1)::timestamp at time zone ${timeZone}
    group by 1, 2`;
}
