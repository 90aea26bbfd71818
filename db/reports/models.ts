import { sql } from 'kysely';
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

/** The newest rate of a model that was ever on offer, and how its turns of the last 24 hours went. */
export type ModelRecord = Readonly<RowOf<typeof rateColumns>> & {
  /** The newest turns of those 24 hours, 10,000 at most. */
  readonly turns: number;
  /** Those of them that stand failed. */
  readonly failed: number;
};

/** A model's error rate needs no more turns than this: what is counted is bounded, however many there are. */
export const MODEL_TURNS = 10_000;

/** By their names. Instants in milliseconds. */
export async function listModels(on: Sql): Promise<readonly ModelRecord[]> {
  const { rows } = await sql<ModelRecord>`
    select ${rateColumns}, t.turns, t.failed
    from (select distinct on (model) * from model_rates order by model, version desc) r
    cross join lateral (
      select count(*)::int as turns, count(*) filter (where state = 'failed')::int as failed from (
        select state from turns where model = r.model and created_at > ${on.clock()} - interval '24 hours'
          and state not in ('accepted', 'running', 'refused')
        order by created_at desc, id desc limit ${MODEL_TURNS}) newest
    ) t order by r.model`.execute(on);
  return rows;
}
