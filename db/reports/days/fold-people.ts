import { sql } from 'kysely';
import { first, one, type Database, type Tx } from '../../database.ts';

/** Accounts that one statement adds up: for a whole month of them it takes less than a second. */
const ACCOUNTS_AT_ONCE = 1_500;

/**
 * Adds up what each person had used by the end of each day of a month (`usage_person_months`), and how many people used
 * tokens on it (`usage_people_days`), from the rollups of days that are over on every wall clock. Nothing is booked on
 * these any more; when something is all the same, because a clock went wrong, `foldDays` sets the mark back before that
 * day, and the days from there on are added up again. Who reads people reads later days from the rollups.
 *
 * A range of days goes account by account, at most a month at a time. Several may run at once, under the lock of the
 * mark's row.
 * @param options.onStep called after each statement. It throws to end the work, which goes on there the next time.
 * @returns how many accounts were looked at, once for each range.
 */
export async function foldPeople(
  database: Database,
  {
    accountsAtOnce = ACCOUNTS_AT_ONCE,
    onStep = () => {},
  }: { readonly accountsAtOnce?: number; readonly onStep?: () => void } = {},
): Promise<number> {
  for (let folded = 0; ;) {
    const seen = await database.transaction((tx) => foldStep(tx, accountsAtOnce));
    onStep();
    if (seen === null) return folded;
    folded += seen;
  }
}

/** Days `YYYY-MM-DD` of one month that are under way, and the last account that is added up for them. */
interface Range {
  readonly from: string;
  readonly to: string;
  readonly after: number;
}

/** @returns how many accounts were looked at; null: no day is left. */
async function foldStep(tx: Tx, accountsAtOnce: number): Promise<number | null> {
  const range = await findRange(tx);
  if (range === null) return null;
  if (range.after === 0) await sql`delete from usage_people_days where day >= ${range.from}::date`.execute(tx);
  const { seen } = await one(foldAccounts(range, accountsAtOnce), tx);
  return seen;
}

/** A day is over when it has been for an hour in the westernmost zone: no transaction lasts that long. */
async function findRange(tx: Tx): Promise<Range | null> {
  await one(sql`select 1 from usage_person_marks where id = 1 for update`, tx);
  return first(
    sql<Range>`
    with mark as (
      select coalesce(through_day + 1, (select min(day) from usage_rollups where rate_id is not null)) as from_day, to_day, account_id,
        (${tx.clock()} at time zone 'Etc/GMT+12' - interval '1 hour')::date - 1 as over
      from usage_person_marks where id = 1
    ), range as (
      select from_day, coalesce(to_day, least(over, (date_trunc('month', from_day) + interval '1 month')::date - 1)) as to_day, account_id from mark
    )
    select from_day::text as "from", to_day::text as "to", account_id::float8 as after from range where from_day <= to_day`,
    tx,
  );
}

/**
 * Sums of the range begin with the one before it, and replace what stands there for its days and later ones. A period
 * lies within a day of its days whatever its zone; a week is looked around it.
 * Exported for the test that checks the query plan.
 */
export function foldAccounts({ from, to, after }: Range, accountsAtOnce: number) {
  const before = sql`width_bucket(${from}::date - 1, m.days)`;
  return sql<{ seen: number }>`
    with chunk as materialized (
      select id from accounts where id > ${after}::bigint order by id limit ${accountsAtOnce}::int
    ), versions as materialized (
      select id, min(id) over (partition by model) as rate_id from model_rates
    ), used as materialized (
      select p.account_id, v.rate_id, u.day, sum(u.used_tokens)::bigint as tokens
      from chunk c cross join lateral (
          select id, account_id from periods where account_id = c.id
            and ends_at > ${from}::date - interval '7 days' and starts_at < ${to}::date + interval '7 days' offset 0
        ) p cross join lateral (
          select day, rate_id, used_tokens from usage_rollups
          where period_id = p.id and day between ${from}::date and ${to}::date and rate_id is not null offset 0
        ) u join versions v on v.id = u.rate_id
      group by p.account_id, v.rate_id, u.day
    ), sums as (
      select account_id, rate_id, day, sum(tokens) over (partition by account_id, rate_id order by day)::bigint as through from used
    ), kept as (
      insert into usage_person_months as m (month, account_id, rate_id, days, through_tokens)
      select date_trunc('month', ${from}::date)::date, account_id, rate_id, array_agg(day order by day), array_agg(through order by day)
      from sums group by account_id, rate_id
      on conflict (month, account_id, rate_id) do update set days = m.days[:${before}] || excluded.days,
        through_tokens = m.through_tokens[:${before}] || array(
          select coalesce(m.through_tokens[${before}], 0) + s.through
          from unnest(excluded.through_tokens) with ordinality s (through, nth) order by s.nth)
    ), counted as (
      insert into usage_people_days as d (day, people)
      select day, count(distinct account_id) from used group by day
      on conflict (day) do update set people = d.people + excluded.people
    ), seen as materialized (
      select count(*)::int as accounts, count(*) < ${accountsAtOnce}::int as all_of_them, coalesce(max(id), 0) as last_id from chunk
    ), marked as (
      update usage_person_marks set account_id = case when all_of_them then 0 else last_id end,
        to_day = case when all_of_them then null else ${to}::date end,
        through_day = case when all_of_them then ${to}::date else through_day end
      from seen where id = 1
    )
    select accounts as seen from seen`;
}

/**
 * For the statement that adds entries up: sets the mark back when one of them was booked on a day that is added up.
 * @param entries a query's name for ledger entries.
 */
export function forgetDaysOf(entries: 'settled') {
  return sql`
    update usage_person_marks m set through_day = least(m.through_day, late.day - 1), to_day = null, account_id = 0
    from (select min(day) as day from ${sql.ref(entries)} where kind = 'debit') late
    where m.id = 1 and late.day <= greatest(m.through_day, m.to_day)`;
}
