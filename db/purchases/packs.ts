import { sql } from 'kysely';
import type { Pack } from '../../domain/payments/pack.ts';
import type { Database } from '../database.ts';

/** A pack as it can be bought now. */
export interface PublishedPack extends Pack {
  readonly version: number;
}

/**
 * Makes the configured packs the newest versions of themselves. One that differs from its newest version becomes the
 * next; purchases keep the version that they bought. The order is the configured one.
 */
export async function publishPacks(database: Database, packs: readonly Pack[]): Promise<PublishedPack[]> {
  const wanted = JSON.stringify(packs.map(({ name, ...pack }) => ({ ...pack, nameKo: name.ko, nameEn: name.en })));
  const versions = await database.transaction(async (tx) => {
    await sql`lock table packs in share row exclusive mode`.execute(tx);
    const { rows } = await sql<{ id: string; version: number }>`
      with wanted as (
        select * from jsonb_to_recordset(${wanted}::jsonb) as w("packId" text, "nameKo" text, "nameEn" text, tokens bigint, "bonusTokens" bigint, currency text, amount integer)
      ), newest as (
        select distinct on (id) * from packs order by id, version desc
      ), added as (
        insert into packs (id, version, name_ko, name_en, tokens, bonus_tokens, currency, amount)
        select w."packId", coalesce(n.version, 0) + 1, w."nameKo", w."nameEn", w.tokens, w."bonusTokens", w.currency, w.amount
        from wanted w left join newest n on n.id = w."packId"
        where (n.name_ko, n.name_en, n.tokens, n.bonus_tokens, n.currency, n.amount)
          is distinct from (w."nameKo", w."nameEn", w.tokens::token_count, w."bonusTokens"::token_count, w.currency, w.amount)
        returning id, version
      )
      select w."packId" as id, coalesce(a.version, n.version) as version
      from wanted w left join added a on a.id = w."packId" left join newest n on n.id = w."packId"`.execute(tx);
    return new Map(rows.map(({ id, version }) => [id, version]));
  });
  return packs.map((pack) => ({ ...pack, version: versions.get(pack.packId) ?? 1 }));
}
