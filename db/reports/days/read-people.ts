import { sql } from 'kysely';
import type { NamedPerson } from '../../../domain/people.ts';
import { one, type Database } from '../../database.ts';
import { MOST_LATE, type DayRange, type ModelDay } from './read-days.ts';

/** What a person used in some days by one model. */
export type PersonModel = Omit<ModelDay, 'day'>;

/** Somebody who used tokens in some days. */
export interface PersonUsage extends NamedPerson {
  readonly turns: number;
  readonly usedTokens: number;
  readonly models: readonly PersonModel[];
}

/** How many people used tokens in some days. */
export interface PeopleCount {
  readonly people: number;
  readonly days: readonly { readonly day: string; readonly people: number }[];
  readonly models: readonly { readonly model: string; readonly people: number }[];
}

/** Who used tokens in some days. */
export interface People extends PeopleCount {
  readonly before: PeopleCount;
  /** Those who used most, most first. */
  readonly top: readonly PersonUsage[];
}

/** Some days, and how many people are named; `since` is the first of the days just before that are counted, too. */
export interface PeopleWanted extends DayRange {
  readonly since: string;
  readonly top: number;
}

/**
 * Counts who used tokens and finds who used most, in one snapshot: from what each person had used by the end of each
 * day (`foldPeople`), and for the days that are not added up from the rollups of their accounts. The cost is that of
 * people with use in these months and of the last two or three days, however many days or turns there are.
 */
export async function readPeople(database: Database, wanted: PeopleWanted): Promise<People> {
  const { from } = wanted;
  const { found, days, models, people, earlier } = await one(selectPeople(wanted), database.sums);
  const counted = (rows: typeof models, which: 'people' | 'earlier') =>
    rows.flatMap(({ model, [which]: count }) => (count === 0 ? [] : [{ model, people: count }]));
  return {
    people,
    days: days.filter(({ day }) => day >= from),
    models: counted(models, 'people'),
    top: found,
    before: { people: earlier, days: days.filter(({ day }) => day < from), models: counted(models, 'earlier') },
  };
}

interface Found {
  readonly people: number;
  readonly earlier: number;
  readonly days: PeopleCount['days'];
  readonly models: readonly { readonly model: string; readonly people: number; readonly earlier: number }[];
  readonly found: readonly PersonUsage[];
}

/**
 * Tokens alone are added up for everybody, and everything else only for those who used most. Rates are the versions of
 * a model, which counts once. Sums are floats, which are exact up to 2^53 and need no memory of their own.
 * Exported for the test that checks the query plan.
 */
export function selectPeople({ from, to, since, top }: PeopleWanted) {
  const cut = (name: 'to_day' | 'from_day' | 'since_day') => sql`(select ${sql.ref(name)} from cuts)`;
  // A month that is over by then counts whole, so that few rows are searched for a day.
  const through = (day: 'to_day' | 'from_day' | 'since_day') => sql`case
    when m.month < (select date_trunc('month', ${sql.ref(day)}::timestamp)::date from cuts) then m.through_tokens[cardinality(m.through_tokens)]
    when m.month <= ${cut(day)} then coalesce(m.through_tokens[width_bucket(${cut(day)}, m.days)], 0) else 0 end`;
  return sql<Found>`
    with late as materialized (
      select min(l.day) filter (where l.kind = 'debit') as day from usage_day_marks d cross join lateral (
        select kind, day from ledger_entries where id > d.through_id order by id limit ${MOST_LATE}
      ) l where d.id = 1
    ), folded as materialized (
      select least(coalesce(m.through_day, '-infinity'), late.day - 1) as day from usage_person_marks m cross join late where m.id = 1
    ), cuts as materialized (
      select least(${to}::date, day) as to_day, least(${from}::date - 1, day) as from_day, least(${since}::date - 1, day) as since_day from folded
    ), versions as materialized (
      select id, model, min(id) over (partition by model) as model_id from model_rates
    ), open as materialized (
      select u.day, p.account_id, u.rate_id, u.used_tokens from usage_rollups u join periods p on p.id = u.period_id
      where u.day between ${since}::date and ${to}::date and u.day > (select day from folded) and u.rate_id is not null
    ), used as materialized (
      select account_id, model_id, sum(tokens) as tokens, sum(earlier) as earlier from (
        select m.account_id, m.rate_id as model_id, (${through('to_day')} - ${through('from_day')})::float8 as tokens,
          (${through('from_day')} - ${through('since_day')})::float8 as earlier
        from usage_person_months m
        where m.month between date_trunc('month', ${since}::timestamp)::date and date_trunc('month', ${to}::timestamp)::date
        union all
        select o.account_id, v.model_id, case when o.day >= ${from}::date then o.used_tokens else 0 end::float8,
          case when o.day < ${from}::date then o.used_tokens else 0 end::float8
        from open o join versions v on v.id = o.rate_id
      ) u group by account_id, model_id
    ), people as materialized (
      select account_id, sum(tokens) as tokens, sum(earlier) as earlier from used group by account_id
    ), top as materialized (
      select account_id, tokens from people where tokens > 0 order by tokens desc, account_id limit ${top}::int
    ), by_model as (
      select t.account_id, v.model, ${SUMS} from top t join periods p on p.account_id = t.account_id
        join usage_rollups u on u.period_id = p.id and u.day between ${from}::date and ${to}::date join versions v on v.id = u.rate_id
      group by t.account_id, v.model
    ), days as (
      select d.day, d.people from usage_people_days d cross join folded f where d.day between ${since}::date and ${to}::date and d.day <= f.day
      union all
      select day, count(distinct account_id) from open group by day
    ), counted as (
      select model_id, count(*) filter (where tokens > 0) as people, count(*) filter (where earlier > 0) as earlier from used group by model_id
    )
    select (select count(*) from people where tokens > 0)::float8 as people, (select count(*) from people where earlier > 0)::float8 as earlier,
      (select coalesce(jsonb_agg(to_jsonb(d) order by d.day), '[]') from days d) as days,
      (select coalesce(jsonb_agg(to_jsonb(m) order by m.model), '[]') from (
        select v.model, c.people, c.earlier from counted c join versions v on v.id = c.model_id) m) as models,
      (select coalesce(jsonb_agg(to_jsonb(found) order by found."usedTokens" desc, found."userId"), '[]') from (
        select w.id as "userId", w.email, w.name, (select sum(turns) from by_model m where m.account_id = t.account_id) as turns, t.tokens as "usedTokens",
          (select jsonb_agg(jsonb_build_object('model', m.model, 'turns', m.turns, 'promptTokens', m.prompt_tokens, 'cachedTokens', m.cached_tokens,
              'completionTokens', m.completion_tokens, 'usedTokens', m.used_tokens) order by m.used_tokens desc, m.model)
            from by_model m where m.account_id = t.account_id) as models
        from top t join accounts a on a.id = t.account_id join users w on w.id = a.user_id) found) as found`;
}

const SUMS = sql.raw(
  ['turns', 'prompt_tokens', 'cached_tokens', 'completion_tokens', 'used_tokens']
    .map((name) => `sum(u.${name}) as ${name}`)
    .join(', '),
);
