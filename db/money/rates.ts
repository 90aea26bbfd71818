import { sql } from 'kysely';
import type { Model, PricedModel, RateVersion } from '../../domain/model.ts';
import { columnsOf } from '../columns.ts';
import type { Database } from '../database.ts';
import { ModelRate } from '../entities/model-rate.ts';

/**
 * Makes the catalogue's rates the newest versions of their models. A rate that differs from the newest becomes the next
 * version, and no earlier hold or debit changes. When several processes start together, one publishes and the others
 * find its versions.
 * @throws when a rate is not an integer from 1 to 1,000,000 thousandths: the CHECKs judge too, whatever the catalogue
 *   let through (G14).
 */
export async function publishRates(database: Database, models: readonly Model[]): Promise<PricedModel[]> {
  const wanted = JSON.stringify(models.map(({ name, rate }) => ({ model: name, ...rate })));
  const rows = await database.transaction(async (tx) => {
    // The lock keeps out other publishers only. Holds, which refer to rates, go on meanwhile.
    await sql`lock table model_rates in share row exclusive mode`.execute(tx);
    await sql`
      with newest as (select distinct on (model) * from model_rates order by model, version desc)
      insert into model_rates (model, version, input, cached_input, output)
      select w.model, coalesce(n.version, 0) + 1, w.input, w."cachedInput", w.output
      from jsonb_to_recordset(${wanted}::jsonb) as w(model text, input integer, "cachedInput" integer, output integer) left join newest n on n.model = w.model
      where (n.input, n.cached_input, n.output) is distinct from (w.input, w."cachedInput", w.output)`.execute(tx);
    return (
      await sql<
        RateVersion & { model: string }
      >`select distinct on (model) ${columnsOf(ModelRate, 'r', ['model', 'id', 'version', 'input', 'cachedInput', 'output'])}
      from model_rates r where model = any(${models.map(({ name }) => name)}) order by model, version desc`.execute(tx)
    ).rows;
  });
  const published = new Map(rows.map(({ model, ...rate }) => [model, rate]));
  return models.map((model) => {
    const rate = published.get(model.name);
    if (rate === undefined) throw new Error(`the rate of ${model.name} must have been published`);
    return { ...model, rate };
  });
}
