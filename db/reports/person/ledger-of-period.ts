import { sql } from 'kysely';
import type { ClosedPeriod } from '../../../domain/reports/build-report.ts';
import { one, type Sql } from '../../database.ts';
import { zoneAt } from '../../people/zones.ts';

/** What is derived from a period's entries. */
type OfLedger = Pick<
  ClosedPeriod,
  'hours' | 'costliest' | 'reasoning' | 'history' | 'booked' | 'estimatedTurns' | 'standing' | 'depletedAt'
>;

const COSTLIEST = 10;

/**
 * Reads a closed period's entries once and derives all that its rollups do not hold: hours, the costliest turns, how an
 * account stood from entry to entry, and from the turns how much of their prompts was history. Hours are not rolled up
 * with each debit: they are read once, when the month is over, and so cost a turn nothing. They are those of the clock
 * that the account had when each was booked, as days are.
 *
 * What of a prompt was history is its tokens without the question and without what a conversation's first prompts of
 * the model had beside it (instructions, frame). Turns of the OpenAI door bring a history of their own and are left
 * out.
 *
 * @param period.purchasedTokens what was left of them at the period's end.
 */
export async function readLedgerOf(
  on: Sql,
  period: { accountId: number; periodId: number | null; allowanceTokens: number; purchasedTokens: number },
): Promise<OfLedger> {
  const { accountId, periodId, allowanceTokens, purchasedTokens } = period;
  return one(
    sql<OfLedger>`
    with e as materialized (
      select id, kind, day, created_at, turn_id, rate_id, tokens, used_delta, purchased_delta, spent_purchased_delta,
        prompt_tokens, cached_tokens, completion_tokens, estimated from ledger_entries where period_id = ${periodId}::bigint
    ), stood as materialized (
      select id, day, created_at, sum(used_delta) over w as used, ${allowanceTokens}::bigint + ${purchasedTokens}::bigint - (select coalesce(sum(purchased_delta), 0) from e)
        + sum(purchased_delta + spent_purchased_delta) over w as total from e window w as (order by id)
    ), asked as materialized (
      select r.model, e.prompt_tokens as prompt, t.question_tokens as question, t.is_api, t.sequence = 1 or t.parent_sequence = 0 as is_first, a.reasoning_tokens as reasoning
      from e join model_rates r on r.id = e.rate_id join turns t on t.id = e.turn_id
        left join attempts a on a.turn_id = e.turn_id and a.number = t.answer_attempt
      where e.kind = 'debit'
    ), frames as (
      select model, coalesce(min(prompt - question) filter (where is_first), min(prompt - question)) as tokens from asked where not is_api group by model
    )
    select
      (select coalesce(jsonb_agg(to_jsonb(h) order by weekday, hour), '[]') from (
        select extract(isodow from at)::int as weekday, extract(hour from at)::int as hour, count(*) as turns, sum(tokens) as "debitedTokens"
          from (select created_at at time zone ${zoneAt(accountId, sql`e.created_at`)} as at, tokens from e where kind = 'debit') l group by 1, 2) h) as hours,
      (select coalesce(jsonb_agg(to_jsonb(c) - 'id' order by "debitedTokens" desc, id), '[]') from (
        select e.id, e.turn_id as "turnId", r.model, floor(extract(epoch from e.created_at) * 1000) as "bookedAt", e.prompt_tokens as "promptTokens",
          e.cached_tokens as "cachedTokens", e.completion_tokens as "completionTokens", e.tokens as "debitedTokens"
        from e join model_rates r on r.id = e.rate_id where e.kind = 'debit' order by e.tokens desc, e.id limit ${COSTLIEST}) c) as costliest,
      (select coalesce(jsonb_agg(to_jsonb(m) order by model), '[]') from (
        select model, sum(reasoning) as tokens from asked where reasoning > 0 group by model) m) as reasoning,
      (select case when count(*) = 0 then null else jsonb_build_object('promptTokens', sum(prompt), 'historyTokens',
          sum(case when is_first then 0 else least(prompt, greatest(0, prompt - question - f.tokens)) end)) end
        from asked join frames f using (model) where not is_api) as history,
      (select jsonb_build_object('grants', count(*) filter (where kind = 'grant'), 'grantedTokens', coalesce(sum(tokens) filter (where kind = 'grant'), 0),
        'reversals', count(*) filter (where kind = 'reversal'), 'reversedTokens', coalesce(-sum(tokens) filter (where kind = 'reversal'), 0),
        'adjustments', count(*) filter (where kind = 'adjustment')) from e) as booked,
      (select count(*)::float8 from e where estimated) as "estimatedTurns",
      (select coalesce(jsonb_agg(to_jsonb(d) order by day), '[]') from (
        select day, bool_or(used * 100 >= total * 90) as "wasThere", (array_agg(used * 100 >= total * 90 order by id desc))[1] as "isThere"
        from stood group by day) d) as standing,
      (select floor(extract(epoch from min(created_at)) * 1000)::float8 from stood where used >= total and used > 0) as "depletedAt"`,
    on,
  );
}
