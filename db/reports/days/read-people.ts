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
    one(selectPeople({ from, to, top }), database.reads),
    selectPeopleByDay({ from, to }).execute(database.reads),
  ]);
  return { people, models, days: days.rows, top: found };
}

/** Exported for the test that checks the query plan. */
export function selectPeople({ from, to, top }: DayRange & { readonly top: number }) {
  return sql<Pick<People, 'people' | 'models'> & { found: PersonUsage[] }>`
    with of_periods as (
      select u.period_id, u.rate_id, ${SUMS} from usage_rollups u
      where day between ${from}::date and ${to}::date and rate_id is not null group by u.period_id, u.rate_id
    ), used as materialized (
      select p.account_id, r.model, ${SUMS} from of_periods u join periods p on p.id = u.period_id join model_rates r on r.id = u.rate_id
      group by p.account_id, r.model
    ), people as materialized (
      select account_id, sum(turns) as turns, sum(used_tokens) as used_tokens from used group by account_id
    ), top as (
      select * from people order by used_tokens desc, account_id limit ${top}::int
    )
    select (select count(*) from people)::float8 as people,
      (select coalesce(jsonb_agg(to_jsonb(m) order by m.model), '[]') from (select model, count(*) as people from used group by model) m) as models,
      (select coalesce(jsonb_agg(to_jsonb(found) order by found."usedTokens" desc, found."userId"), '[]') from (
        select w.id as "userId", w.email, w.name, t.turns, t.used_tokens as "usedTokens",
          (select jsonb_agg(jsonb_build_object('model', u.model, 'turns', u.turns, 'promptTokens', u.prompt_tokens, 'cachedTokens', u.cached_tokens,
              'completionTokens', u.completion_tokens, 'usedTokens', u.used_tokens) order by u.used_tokens desc, u.model)
            from used u where u.account_id = t.account_id) as models
        from top t join accounts a on a.id = t.account_id join users w on w.id = a.user_id) found) as found`;
}

/** An account has one period on a day, but for the day of a reset: both are counted as one. */
export function selectPeopleByDay({ from, to }: DayRange) {
  return sql<People['days'][number]>`
    select u.day::text as day, count(distinct p.account_id)::float8 as people from usage_rollups u join periods p on p.id = u.period_id
    where u.day between ${from}::date and ${to}::date and u.rate_id is not null group by u.day order by u.day`;
}

const SUMS = sql.raw(
  ['turns', 'prompt_tokens', 'cached_tokens', 'completion_tokens', 'used_tokens']
    .map((name) => `sum(u.${name}) as ${name}`)
    .join(', '),
);
