import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { Client } from 'pg';
import type { Database } from '../../db/database.ts';
import type { DayRange } from '../../db/reports/days/read-days.ts';
import { readPeople } from '../../db/reports/days/read-people.ts';
import { dayLater, daysBetween } from '../../domain/day-figures.ts';
import { only } from './fixture.ts';

/** Who used tokens, by the ledger alone. */
async function ledgerPeople(database: Database, { from, to }: DayRange) {
  const within = sql`kind = 'debit' and day between ${from}::date and ${to}::date`;
  return only(
    database.sql,
    sql<{ top: unknown }>`select count(distinct account_id)::float8 as people,
      coalesce((select jsonb_agg(to_jsonb(d) order by day) from (select day::text, count(distinct account_id) as people from ledger_entries where ${within} group by day) d), '[]') as days,
      coalesce((select jsonb_agg(to_jsonb(d) order by model) from (select r.model, count(distinct account_id) as people
        from ledger_entries e join model_rates r on r.id = e.rate_id where ${within} group by r.model) d), '[]') as models,
      coalesce((select jsonb_agg(to_jsonb(d)) from (select account_id as "userId", count(*) as turns, sum(tokens) as "usedTokens"
        from ledger_entries where ${within} group by account_id order by sum(tokens) desc, account_id limit 5) d), '[]') as top
    from ledger_entries where ${within}`,
  );
}

/** Those ranges for which people differ from the ledger’s, or from as many days before. */
export async function differingPeople(database: Database, ranges: readonly DayRange[]): Promise<DayRange[]> {
  const found: DayRange[] = [];
  for (const { from, to } of ranges) {
    const since = dayLater(from, -daysBetween(from, to));
    const { top, before, ...people } = await readPeople(database, { from, to, since, top: 5 });
    const most = top.map(({ userId, turns, usedTokens }) => ({ userId, turns, usedTokens }));
    const { top: _, ...earlier } = await ledgerPeople(database, { from: since, to: dayLater(from, -1) });
    const isSame =
      isDeepStrictEqual({ ...people, top: most }, await ledgerPeople(database, { from, to })) &&
      isDeepStrictEqual(before, earlier);
    const isWhole = top.every(
      ({ models, usedTokens, turns }) =>
        models.reduce((sum, model) => sum + model.usedTokens, 0) === usedTokens &&
        models.reduce((sum, model) => sum + model.turns, 0) === turns,
    );
    if (!isSame || !isWhole) found.push({ from, to });
  }
  return found;
}
/** An entry as a clock that went wrong leaves it, and its rollup. */
export async function bookLate(admin: Client, accountId: number, day: string): Promise<void> {
  await admin.query('set session_replication_role = replica');
  await admin.query(
    `with p as (
      select id from periods where account_id = $1 and label = to_char($2::date, 'YYYY-MM')
    ), e as (
      insert into ledger_entries (account_id, period_id, day, kind, turn_id, hold_id, rate_id, prompt_tokens, cached_tokens, completion_tokens, tokens,
        purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta)
      select $1, id, $2, 'debit', gen_random_uuid(), gen_random_uuid(), 1, 2, 0, 3, 5, 0, 0, 0, 5, 0, 5 from p
    )
    insert into usage_rollups as r (period_id, day, rate_id, turns, prompt_tokens, cached_tokens, completion_tokens, used_tokens)
    select id, $2, 1, 1, 2, 0, 3, 5 from p
    on conflict on constraint usage_rollups_one_per_day_and_rate do update set turns = r.turns + 1,
      prompt_tokens = r.prompt_tokens + 2, completion_tokens = r.completion_tokens + 3, used_tokens = r.used_tokens + 5`,
    [accountId, day],
  );
  await admin.query('reset session_replication_role');
}
