import { sql, type RawBuilder } from 'kysely';
import type { FirstDelta } from '../../domain/first-delta.ts';
import type { Instant } from '../../domain/period.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import type { Sql } from '../database.ts';
import { ModelRate } from '../entities/model-rate.ts';

const rateColumns = columnsOf(ModelRate, 'r', {
  model: 'model',
  version: 'version',
  input: 'input',
  cachedInput: 'cachedInput',
  output: 'output',
  since: 'createdAt',
});

/** The newest rate of a model that was ever in the catalogue, and how its turns of the last 24 hours went. */
export type ModelRecord = Readonly<RowOf<typeof rateColumns>> & {
  /** The newest turns of those 24 hours, 10,000 at most. */
  readonly turns: number;
  /** Those of them that stand failed. */
  readonly failed: number;
  /** Of the newest of those turns, 1,000 at most, that had one. */
  readonly firstDelta: FirstDelta | null;
  /** When an admin switched it off; null: it is on. */
  readonly offSince: Instant | null;
};

/** A model's error rate needs no more turns than this: what is counted is bounded, however many there are. */
export const MODEL_TURNS = 10_000;
/** Nor does what half and 95 of 100 of them waited. */
const TIMED_TURNS = 1_000;

/** By their names. Instants in milliseconds. */
export async function listModels(on: Sql): Promise<readonly ModelRecord[]> {
  const newest = (columns: RawBuilder<unknown>, most: number) => sql`select ${columns} from turns
    where model = r.model and created_at > ${on.clock()} - interval '24 hours'
      and state not in ('accepted', 'running', 'refused')
    order by created_at desc, id desc limit ${most}`;
  const { rows } = await sql<ModelRecord>`
    select ${rateColumns}, t.turns, t.failed, case when d.turns > 0 then to_jsonb(d) end as "firstDelta",
      floor(extract(epoch from o.since) * 1000)::float8 as "offSince"
    from (select distinct on (model) * from model_rates order by model, version desc) r
    left join models_off o on o.model = r.model
    cross join lateral (
      select count(*)::int as turns, count(*) filter (where state = 'failed')::int as failed
      from (${newest(sql`state`, MODEL_TURNS)}) newest
    ) t
    cross join lateral (
      select count(*)::int as turns, round(percentile_cont(0.5) within group (order by a.first_delta_ms))::int as "p50Ms",
        round(percentile_cont(0.95) within group (order by a.first_delta_ms))::int as "p95Ms"
      from (${newest(sql`id, answer_attempt`, TIMED_TURNS)}) newest
        join attempts a on a.turn_id = newest.id and a.number = newest.answer_attempt
      where a.first_delta_ms is not null
    ) d order by r.model`.execute(on);
  return rows;
}
