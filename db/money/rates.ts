import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Model, PricedModel, RateVersion } from '../../domain/model.ts';
import { columnsOf } from '../columns.ts';
import { one, type Database, type Tx } from '../database.ts';
import { ModelRate } from '../entities/model-rate.ts';

/**
 * Makes the catalogue's rates the newest versions of their models. A rate that differs from the newest becomes the next
 * version, and no earlier hold or debit changes. When several processes start together, one publishes and the others
 * find its versions.
 * @throws when a rate is not an integer from 1 to 1,000,000 thousandths: the CHECKs judge too, whatever the catalogue
 *   let through (G14).
 */
export async function publishRates(database: Database, models: readonly Model[]): Promise<PricedModel[]> {
  return database.transaction(async (tx) => {
    await lockRates(tx);
    return publish(tx, models, 'what differs');
  });
}

/** A process that says nothing for so long is gone. It is heard of every minute. */
const GONE_AFTER = sql.raw(`interval '3 minutes'`);

/** The process that publishes, and the catalogue that it was started with. */
export interface Publisher {
  /** Of the process: a UUID. */
  readonly id: string;
  readonly models: readonly Model[];
}

/**
 * Publishes the rates of a process that runs, as `publishRates` does, unless a process of a newer deployment runs too:
 * then the newer rates apply to both. Otherwise old and new processes that start in turn, while one deployment replaces
 * another, would publish their rates over each other's without end. Called again every minute, by which the process is
 * known to run, and follows what the newest deployment says: also back to its own rates, once the newer one is gone.
 * @returns the models with the rates that apply, and whether they are another deployment's.
 */
export async function keepRatesPublished(
  database: Database,
  { id, models }: Publisher,
): Promise<{ models: PricedModel[]; isOutdated: boolean }> {
  const catalogue = fingerprintOf(models);
  return database.transaction(async (tx) => {
    await lockRates(tx);
    // A catalogue is deployed when the first process comes with it, and again when one does and no newer one runs.
    const { mine, newest, isOutdated } = await one(
      sql<{ mine: number | null; newest: number; isOutdated: boolean }>`
        with known as (select max(deployed) as mine from rate_publishers where catalogue = ${catalogue})
        select known.mine, coalesce((select max(deployed) from rate_publishers), 0) as newest,
          exists (select 1 from rate_publishers where deployed > known.mine and seen_at > ${tx.clock()} - ${GONE_AFTER}) as "isOutdated"
        from known`,
      tx,
    );
    const deployed = mine !== null && (isOutdated || mine === newest) ? mine : newest + 1;
    tx.write(sql`insert into rate_publishers (id, catalogue, deployed, seen_at) values (${id}, ${catalogue}, ${deployed}, ${tx.clock()})
      on conflict (id) do update set deployed = excluded.deployed, seen_at = excluded.seen_at`);
    // Of processes that are gone, one row a catalogue keeps its place in the order.
    tx.write(sql`delete from rate_publishers g where seen_at <= ${tx.clock()} - ${GONE_AFTER}
      and exists (select 1 from rate_publishers o where o.catalogue = g.catalogue and (o.deployed, o.id) > (g.deployed, g.id))`);
    return { models: await publish(tx, models, isOutdated ? 'what is missing' : 'what differs'), isOutdated };
  });
}

/** Says that a process ends: what it published stands, and no longer keeps another deployment's rates back. */
export async function leaveRates(database: Database, { id }: Pick<Publisher, 'id'>): Promise<void> {
  await sql`update rate_publishers set seen_at = '-infinity' where id = ${id}`.execute(database.sql);
}

function fingerprintOf(models: readonly Model[]): string {
  const rates = models.map(({ name, rate: { input, cachedInput, output } }) => [name, input, cachedInput, output]);
  return createHash('sha256').update(JSON.stringify(rates.sort())).digest('base64url');
}

/** The lock keeps out other publishers only. Holds, which refer to rates, go on meanwhile. */
async function lockRates(tx: Tx): Promise<void> {
  await sql`lock table model_rates in share row exclusive mode`.execute(tx);
}

async function publish(
  tx: Tx,
  models: readonly Model[],
  which: 'what differs' | 'what is missing',
): Promise<PricedModel[]> {
  const wanted = JSON.stringify(models.map(({ name, rate }) => ({ model: name, ...rate })));
  await sql`
      with newest as (select distinct on (model) * from model_rates order by model, version desc)
      insert into model_rates (model, version, input, cached_input, output)
      select w.model, coalesce(n.version, 0) + 1, w.input, w."cachedInput", w.output
      from jsonb_to_recordset(${wanted}::jsonb) as w(model text, input integer, "cachedInput" integer, output integer) left join newest n on n.model = w.model
      where n.version is null or (${which === 'what differs'} and (n.input, n.cached_input, n.output) is distinct from (w.input, w."cachedInput", w.output))`.execute(
    tx,
  );
  const rows = (
    await sql<
      RateVersion & { model: string }
    >`select distinct on (model) ${columnsOf(ModelRate, 'r', ['model', 'id', 'version', 'input', 'cachedInput', 'output'])}
      from model_rates r where model = any(${models.map(({ name }) => name)}) order by model, version desc`.execute(tx)
  ).rows;
  const published = new Map(rows.map(({ model, ...rate }) => [model, rate]));
  return models.map((model) => {
    const rate = published.get(model.name);
    if (rate === undefined) throw new Error(`the rate of ${model.name} must have been published`);
    return { ...model, rate };
  });
}
