import { sql } from 'kysely';
import type { ClosedPeriod } from '../../../domain/reports/build-report.ts';
import { dayAfter, monthBefore } from '../../../domain/reports/patterns.ts';
import { dayOf, followingMonth, startOfMonth, type Instant } from '../../../domain/period.ts';
import { one, type Sql } from '../../database.ts';
import { readLedgerOf } from './ledger-of-period.ts';

/** An account's month as its rows say it: `periodId` is null when nothing touched the account in it. */
export interface Month {
  readonly accountId: number;
  readonly label: string;
  /** The one that the account had when the month ended. */
  readonly timeZone: string;
  readonly periodId: number | null;
}

/** What a report looks back upon. */
const DAYS_BACK = 28;
/** A period may begin so many days before its month, where its owner has moved west from the one end of the world. */
const OFF_BY_ZONE = 2;

/**
 * Reads a closed period. Nothing of it moves any more, so its statements need no common snapshot; the purchased balance
 * at its end is today's without what was booked later, read in one.
 */
export async function readClosedPeriod(on: Sql, month: Month): Promise<ClosedPeriod> {
  const { accountId, label, timeZone } = month;
  const period = await one(selectPeriod(month), on);
  const startsAt = period.startsAt ?? startOfMonth(label, timeZone);
  const endsAt = period.endsAt ?? startOfMonth(followingMonth(label), timeZone);
  const around = await one(selectAround(month, startsAt), on);
  const ledger = await readLedgerOf(on, {
    accountId,
    periodId: month.periodId,
    allowanceTokens: period.allowanceTokens,
    purchasedTokens: period.purchasedTokens,
  });
  return {
    label,
    timeZone,
    startsAt,
    endsAt,
    hasBefore: period.createdAt < startsAt,
    allowanceTokens: period.allowanceTokens,
    nextAllowanceTokens: period.nextAllowanceTokens,
    purchasedTokens: period.purchasedTokens,
    spentAllowanceTokens: period.spentAllowanceTokens,
    spentPurchasedTokens: period.spentPurchasedTokens,
    overageTokens: period.overageTokens,
    ...around,
    ...ledger,
  };
}

interface PeriodRow {
  createdAt: Instant;
  startsAt: Instant | null;
  endsAt: Instant | null;
  allowanceTokens: number;
  nextAllowanceTokens: number;
  purchasedTokens: number;
  spentAllowanceTokens: number;
  spentPurchasedTokens: number;
  overageTokens: number;
}

function selectPeriod({ accountId, label, periodId }: Month) {
  return sql<PeriodRow>`
    select floor(extract(epoch from a.created_at) * 1000)::float8 as "createdAt",
      floor(extract(epoch from p.starts_at) * 1000)::float8 as "startsAt", floor(extract(epoch from p.ends_at) * 1000)::float8 as "endsAt",
      coalesce(p.allowance_tokens, a.monthly_allowance_tokens)::float8 as "allowanceTokens", a.monthly_allowance_tokens::float8 as "nextAllowanceTokens",
      (a.purchased_tokens - later.purchased)::float8 as "purchasedTokens", coalesce(p.spent_allowance_tokens, 0)::float8 as "spentAllowanceTokens",
      coalesce(p.spent_purchased_tokens, 0)::float8 as "spentPurchasedTokens", coalesce(p.overage_tokens, 0)::float8 as "overageTokens"
    from accounts a
      cross join lateral (select coalesce(sum(e.purchased_delta), 0) as purchased from periods l join ledger_entries e on e.period_id = l.id
        where l.account_id = a.id and l.label > ${label}) later
      left join periods p on p.id = ${periodId}::bigint
    where a.id = ${accountId}`;
}

type Around = Pick<
  ClosedPeriod,
  'rollups' | 'earlier' | 'blockedTurns' | 'forecasts' | 'firstDebitAt' | 'firstDebitDay'
>;

/** The period's rollups and what stands beside the ledger: the days before, refusals, forecasts. */
function selectAround({ accountId, label, periodId, timeZone }: Month, startsAt: Instant) {
  const firstDay = dayOf(startsAt, timeZone);
  const before = `${monthBefore(label)}-01`;
  const from = before < dayAfter(firstDay, -DAYS_BACK) ? before : dayAfter(firstDay, -DAYS_BACK);
  return sql<Around>`
    select
      (select coalesce(jsonb_agg(jsonb_build_object('day', day, 'model', model, 'turns', turns, 'promptTokens', prompt, 'cachedTokens', cached,
          'completionTokens', completion, 'debitedTokens', used) order by day, model nulls last), '[]')
        from (select u.day, r.model, sum(u.turns) as turns, sum(u.prompt_tokens) as prompt, sum(u.cached_tokens) as cached,
            sum(u.completion_tokens) as completion, sum(u.used_tokens) as used
          from usage_rollups u left join model_rates r on r.id = u.rate_id where u.period_id = ${periodId}::bigint group by u.day, r.model) d) as rollups,
      (select coalesce(jsonb_agg(jsonb_build_object('label', label, 'day', day, 'turns', turns, 'debitedTokens', used) order by day, label), '[]')
        from (select p.label, u.day, sum(u.turns) as turns, sum(u.used_tokens) as used from periods p join usage_rollups u on u.period_id = p.id
          where p.account_id = ${accountId} and p.label < ${label} and u.rate_id is not null and u.day >= ${from}::date - ${OFF_BY_ZONE}::int
            and p.ends_at > ${new Date(startsAt)}::timestamptz - interval '70 days' group by p.label, u.day) d) as earlier,
      (select coalesce(sum(count), 0)::float8 from refusals where account_id = ${accountId} and day >= ${`${label}-01`}::date and day < ${`${followingMonth(label)}-01`}::date) as "blockedTurns",
      (select coalesce(jsonb_agg(floor(extract(epoch from depletes_at) * 1000) order by made_on), '[]') from forecasts where period_id = ${periodId}::bigint) as forecasts,
      f.at as "firstDebitAt", f.day as "firstDebitDay"
    from (select 1) one left join lateral (select floor(extract(epoch from created_at) * 1000)::float8 as at, day::text as day from ledger_entries
      where account_id between ${accountId} and ${accountId} and kind = 'debit' order by account_id desc, id limit 1) f on true`;
}
