import { sql } from 'kysely';
import { forecastDepletion, type Pace } from '../../domain/forecast.ts';
import { dayOf, type Instant } from '../../domain/period.ts';
import { instantOf, one, type Database } from '../database.ts';
import { selectPace } from '../money/usage.ts';

/** From here on an account is forecast: below it, a month rarely runs out, and a forecast says little. */
const FROM_PERCENT = 50;

interface Forecastable extends Pace {
  readonly accountId: number;
  readonly periodId: number;
  readonly timeZone: string;
  readonly now: Instant;
  readonly endsAt: Instant;
  readonly remaining: number;
}

/**
 * Writes down when accounts at 50 % or more are expected to run out, once an account and day of its own: whoever comes
 * second on a day changes nothing. One page of accounts in the order of their ids.
 * @returns how many accounts were looked at, how many forecasts are new, and the last id.
 */
export async function makeForecasts(
  database: Database,
  { after, limit }: { after: number; limit: number },
): Promise<{ accounts: number; made: number; last: number }> {
  const on = database.reads;
  const { rows } = await sql<Forecastable>`
    select a.id::float8 as "accountId", p.id::float8 as "periodId", a.time_zone as "timeZone", ${instantOf(on)} as now,
      floor(extract(epoch from p.ends_at) * 1000)::float8 as "endsAt",
      greatest(0, a.purchased_tokens + p.allowance_tokens + p.spent_purchased_tokens - p.used_tokens)::float8 as remaining, pace.*
    from accounts a join periods p on p.account_id = a.id cross join lateral (${selectPace(on, sql`a.id`)}) pace
    where a.id > ${after} and p.ends_at > ${on.clock()}
      and p.used_tokens > 0 and p.used_tokens * 100 >= (a.purchased_tokens + p.allowance_tokens + p.spent_purchased_tokens) * ${FROM_PERCENT}
    order by a.id limit ${limit}`.execute(on);
  const forecasts = rows.map(({ accountId, periodId, timeZone, now, endsAt, remaining, ...pace }) => {
    const depletesAt = forecastDepletion({ now, timeZone, remaining, resetsAt: endsAt, pace });
    return {
      account_id: accountId,
      made_on: dayOf(now, timeZone),
      period_id: periodId,
      remaining_tokens: remaining,
      depletes_at: depletesAt === null ? null : new Date(depletesAt).toISOString(),
      made_at: new Date(now).toISOString(),
    };
  });
  const { made } = await one(
    sql<{ made: number }>`with made as (
      insert into forecasts (account_id, made_on, period_id, remaining_tokens, depletes_at, made_at)
      select * from jsonb_to_recordset(${JSON.stringify(forecasts)}::jsonb)
        as f(account_id bigint, made_on date, period_id bigint, remaining_tokens bigint, depletes_at timestamptz, made_at timestamptz)
      on conflict (account_id, made_on) do nothing returning 1
    ) select count(*)::float8 as made from made`,
    database.sql,
  );
  return { accounts: rows.length, made, last: rows.at(-1)?.accountId ?? after };
}
