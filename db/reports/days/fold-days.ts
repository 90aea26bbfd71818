import { sql } from 'kysely';
import { FIRST_DELTA_BOUNDS } from '../../../domain/first-delta.ts';
import { one, type Database } from '../../database.ts';
import { COMMITTED_WITHIN } from '../../money/proof.ts';
import { forgetDaysOf } from './fold-people.ts';

/**
 * Adds what was debited since the last time to the figures of its day (`usage_days`, `first_delta_days`), each entry
 * once. Entries of the last ten minutes stay out, because one with a lower number may still be committed: who reads the
 * days reads those from the ledger. Several may run at once, under the lock of the mark's row.
 * @param options.onStep called after each statement. It throws to end the work, which goes on there the next time.
 * @returns how many entries were read.
 */
export async function foldDays(
  database: Database,
  { pageSize = 20_000, onStep = () => {} }: { readonly pageSize?: number; readonly onStep?: () => void } = {},
): Promise<number> {
  for (let folded = 0; ;) {
    const { seen, settled } = await foldPage(database, pageSize);
    onStep();
    folded += settled;
    if (seen < pageSize || settled === 0) return folded;
  }
}

async function foldPage(database: Database, pageSize: number): Promise<{ seen: number; settled: number }> {
  return database.transaction(async (tx) => {
    const { throughId } = await one(
      sql<{ throughId: number }>`select through_id::float8 as "throughId" from usage_day_marks where id = 1 for update`,
      tx,
    );
    return one(
      sql<{ seen: number; settled: number }>`
      with page as materialized (
        select id, created_at, kind, day, rate_id, turn_id, prompt_tokens, cached_tokens, completion_tokens, tokens
        from ledger_entries where id > ${throughId}::bigint order by id limit ${pageSize}::int
      ), bound as materialized (
        select count(*)::int as seen, coalesce(max(id) filter (where created_at < now() - ${COMMITTED_WITHIN}), ${throughId}::bigint) as last_id from page
      ), settled as materialized (
        select page.* from page cross join bound where page.id <= bound.last_id
      ), used as (
        insert into usage_days as u (day, rate_id, turns, prompt_tokens, cached_tokens, completion_tokens, used_tokens)
        select day, rate_id, count(*), sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens), sum(tokens)
        from settled where kind = 'debit' group by day, rate_id
        on conflict (day, rate_id) do update set turns = u.turns + excluded.turns, prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,
          cached_tokens = u.cached_tokens + excluded.cached_tokens, completion_tokens = u.completion_tokens + excluded.completion_tokens,
          used_tokens = u.used_tokens + excluded.used_tokens
      ), begun as (
        insert into first_delta_days as f (day, rate_id, below_ms, turns)
        select day, rate_id, below_ms, count(*) from (${firstDeltasOf('settled')}) d group by day, rate_id, below_ms
        on conflict (day, rate_id, below_ms) do update set turns = f.turns + excluded.turns
      ), forgotten as (${forgetDaysOf('settled')}
      ), marked as (
        update usage_day_marks set through_id = (select last_id from bound) where id = 1
      )
      select seen, (select count(*) from settled)::int as settled from bound`,
      tx,
    );
  });
}

/**
 * The day, rate and bound of each debit's first delta, where it is known: that of the attempt whose answer was debited.
 * @param entries a query's name for ledger entries.
 */
export function firstDeltasOf(entries: 'settled' | 'late') {
  const bounds = sql`${[...FIRST_DELTA_BOUNDS]}::integer[]`;
  return sql`
    select e.day, e.rate_id, (${bounds} || 2147483647)[width_bucket(a.first_delta_ms, ${bounds}) + 1] as below_ms
    from ${sql.ref(entries)} e join turns t on t.id = e.turn_id join attempts a on a.turn_id = t.id and a.number = t.answer_attempt
    where e.kind = 'debit' and a.first_delta_ms is not null`;
}
