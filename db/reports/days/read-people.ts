import { sql } from 'kysely';
import type { NamedPerson } from '../../../domain/people.ts';
import { one, type Database } from '../../database.ts';
import type { DayRange, ModelDay } from './read-days.ts';

/** What a person used in some days by one model. */
export type PersonModel = Omit<ModelDay, 'day'>;

/** Somebody who used tokens in some days. */
export interface PersonUsage extends NamedPerson {
  readonly turns: number;
  readonly usedTokens: number;
  readonly models: readonly PersonModel[];
}

/** Who used tokens in some days. */
export interface People {
  readonly people: number;
  readonly days: readonly { readonly day: string; readonly people: number }[];
  readonly models: readonly { readonly model: string; readonly people: number }[];
  /** Those who used most, most first. */
  readonly top: readonly PersonUsage[];
}

/**
 * Counts who used tokens and finds who used most, from the rollups of the days' accounts. The cost is that of these
 * rollups: of accounts and days with use, and not of turns.
 * @param wanted.top how many people; 0 only counts.
 */
export async function readPeople(
  database: Database,
  { from, to, top }: DayRange & { readonly top: number },
): Promise<People> {
  const [{ people, models, found }, days] = await Promise.all([
    one(selectPeople({ from, to, top }), database.sums),
    selectPeopleByDay({ from, to }).execute(database.sums),
  ]);
  return { people, models, days: days.rows, top: found };
}

/**
 * Tokens alone are added up for everybody, and everything else only for those who used most. Rates are the versions of
 * a model, which counts once.
 */
function selectPeople({ from, to, top }: DayRange & { readonly top: number }) {
  const within = sql`day between ${from}::date and ${to}::date and rate_id is not null`;
  return sql<Pick<People, 'people' | 'models'> & { found: PersonUsage[] }>`
    with versions as materialized (
      select id, model, min(id) over (partition by model) as model_id from model_rates
    ), used as materialized (
      select p.account_id, v.model_id, sum(u.tokens)::bigint as tokens
      from (select period_id, rate_id, sum(used_tokens)::bigint as tokens from usage_rollups where ${within} group by period_id, rate_id) u
        join periods p on p.id = u.period_id join versions v on v.id = u.rate_id
      group by p.account_id, v.model_id
    ), people as materialized (
      select account_id, sum(tokens)::bigint as tokens from used group by account_id
    ), top as materialized (
      select * from people order by tokens desc, account_id limit ${top}::int
    ), by_model as (
      select p.account_id, v.model, ${SUMS} from top t join periods p on p.account_id = t.account_id
        join usage_rollups u on u.period_id = p.id and ${within} join versions v on v.id = u.rate_id
      group by p.account_id, v.model
    )
    select (select count(*) from people)::float8 as people,
      (select coalesce(jsonb_agg(to_jsonb(m) order by m.model), '[]') from (
        select v.model, c.people from (select model_id, count(*) as people from used group by model_id) c join versions v on v.id = c.model_id) m) as models,
      (select coalesce(jsonb_agg(to_jsonb(found) order by found."usedTokens" desc, found."userId"), '[]') from (
        select w.id as "userId", w.email, w.name, (select sum(turns) from by_model m where m.account_id = t.account_id) as turns, t.tokens as "usedTokens",
          (select jsonb_agg(jsonb_build_object('model', m.model, 'turns', m.turns, 'promptTokens', m.prompt_tokens, 'cachedTokens', m.cached_tokens,
              'completionTokens', m.completion_tokens, 'usedTokens', m.used_tokens) order by m.used_tokens desc, m.model)
            from by_model m where m.account_id = t.account_id) as models
        from top t join accounts a on a.id = t.account_id join users w on w.id = a.user_id) found) as found`;
}

/** An account has one period on a day, but for the day of a reset: both are counted as one. */
function selectPeopleByDay({ from, to }: DayRange) {
  return sql<People['days'][number]>`
    select u.day::text as day, count(distinct p.account_id)::float8 as people from usage_rollups u join periods p on p.id = u.period_id
    where u.day between ${from}::date and ${to}::date and u.rate_id is not null group by u.day order by u.day`;
}

const SUMS = sql.raw(
  ['turns', 'prompt_tokens', 'cached_tokens', 'completion_tokens', 'used_tokens']
    .map((name) => `sum(u.${name}) as ${name}`)
    .join(', '),
);
