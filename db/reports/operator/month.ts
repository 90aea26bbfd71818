import { sql } from 'kysely';
import type { Currency } from '../../../domain/payments/money.ts';
import type { Instant } from '../../../domain/period.ts';
import type { TurnSums } from '../../../domain/reports/person-report.ts';
import { one, type Sql } from '../../database.ts';

export interface Span {
  readonly label: string;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
}

/**
 * The accounts' own periods of a label. They end within a day and a half of the month's end in UTC, so they are found
 * by the index of ends.
 */
function periodsOf({ label, endsAt }: Span) {
  return sql`select * from periods where label = ${label}
    and ends_at between ${new Date(endsAt)}::timestamptz - interval '2 days' and ${new Date(endsAt)}::timestamptz + interval '2 days'`;
}

export interface UsedSums {
  readonly overageTokens: number;
  readonly spentPurchasedTokens: number;
  readonly activeAccounts: number;
  readonly models: readonly (TurnSums & { readonly model: string | null })[];
}

export function readUsed(on: Sql, span: Span): Promise<UsedSums> {
  return one(
    sql<UsedSums>`with p as materialized (${periodsOf(span)}), u as materialized (
      select p.account_id, r.model, u.turns, u.prompt_tokens, u.cached_tokens, u.completion_tokens, u.used_tokens
      from p join usage_rollups u on u.period_id = p.id left join model_rates r on r.id = u.rate_id
    )
    select (select coalesce(sum(overage_tokens), 0)::float8 from p) as "overageTokens",
      (select coalesce(sum(spent_purchased_tokens), 0)::float8 from p) as "spentPurchasedTokens",
      (select count(distinct account_id)::float8 from u where turns > 0) as "activeAccounts",
      (select coalesce(jsonb_agg(to_jsonb(m) order by model nulls last), '[]') from (
        select model, sum(turns) as turns, sum(prompt_tokens) as "promptTokens", sum(cached_tokens) as "cachedTokens",
          sum(completion_tokens) as "completionTokens", sum(used_tokens) as "debitedTokens" from u group by model) m) as models`,
    on,
  );
}

export interface Sales {
  readonly payers: number;
  readonly grantedTokens: number;
  readonly reversedTokens: number;
  readonly revenue: readonly { readonly currency: Currency; readonly paid: number; readonly refunded: number }[];
}

/** Real money only: nothing of a test mode or of the demo shop. */
export function readSales(on: Sql, { startsAt, endsAt }: Span): Promise<Sales> {
  const [from, until] = [new Date(startsAt), new Date(endsAt)];
  return one(
    sql<Sales>`with looks as (
      select s.*, p.currency from payment_snapshots s join purchases p on p.id = s.purchase_id
      where p.livemode and s.seen_at >= ${from} and s.seen_at < ${until}
    ), moves as (
      select l.currency, case when l.state <> 'mismatch' then l.paid else 0 end - case when b.state <> 'mismatch' then b.paid else 0 end as paid,
        case when l.state <> 'mismatch' then l.refunded else 0 end - case when b.state <> 'mismatch' then b.refunded else 0 end as refunded
      from looks l left join payment_snapshots b on b.purchase_id = l.purchase_id and b.seq = l.seq - 1
    )
    select (select count(distinct account_id)::float8 from purchases where livemode and state <> 'mismatch' and paid_at >= ${from} and paid_at < ${until}) as payers,
      (select coalesce(sum(tokens), 0)::float8 from ledger_entries where kind = 'grant' and created_at >= ${from} and created_at < ${until}) as "grantedTokens",
      (select coalesce(-sum(tokens), 0)::float8 from ledger_entries where kind = 'reversal' and created_at >= ${from} and created_at < ${until}) as "reversedTokens",
      (select coalesce(jsonb_agg(to_jsonb(m) order by currency), '[]') from (
        select currency, sum(paid) as paid, sum(refunded) as refunded from moves where paid <> 0 or refunded <> 0 group by currency) m) as revenue`,
    on,
  );
}

export interface Blocked {
  readonly blockedAccounts: number;
  readonly blockedTurns: number;
  readonly ranOut: number;
  readonly boughtWithin30Days: number;
}

/** Who was refused in the month, and who of the month before has bought since, as a share to compare. */
export function readBlocked(on: Sql, { label, before }: Span & { readonly before: string }): Promise<Blocked> {
  const days = (month: string) =>
    sql`day >= ${`${month}-01`}::date and day < (${`${month}-01`}::date + interval '1 month')`;
  return one(
    sql<Blocked>`with earlier as (select account_id, min(day) as day from refusals where ${days(before)} group by account_id)
    select (select count(distinct account_id)::float8 from refusals where ${days(label)}) as "blockedAccounts",
      (select coalesce(sum(count), 0)::float8 from refusals where ${days(label)}) as "blockedTurns",
      (select count(*)::float8 from earlier) as "ranOut",
      (select count(*)::float8 from earlier e where exists (select 1 from purchases p where p.account_id = e.account_id and p.livemode
        and p.state <> 'mismatch' and p.paid_at >= e.day and p.paid_at < e.day + interval '31 days')) as "boughtWithin30Days"`,
    on,
  );
}

/** A forecast of the month beside what became of it. */
export interface Judged {
  readonly madeAt: Instant;
  readonly depletesAt: Instant | null;
  readonly depletedAt: Instant | null;
  readonly endsAt: Instant;
}

/** Those of accounts whose reports are there: the reset makes them. */
export async function readForecasts(on: Sql, span: Span): Promise<Judged[]> {
  const { rows } = await sql<Judged>`select floor(extract(epoch from f.made_at) * 1000)::float8 as "madeAt",
      floor(extract(epoch from f.depletes_at) * 1000)::float8 as "depletesAt", (r.body -> 'forecast' ->> 'depletedAt')::float8 as "depletedAt",
      floor(extract(epoch from p.ends_at) * 1000)::float8 as "endsAt"
    from (${periodsOf(span)}) p join forecasts f on f.period_id = p.id join usage_reports r on r.account_id = p.account_id and r.label = p.label
    limit 100000`.execute(on);
  return rows;
}
