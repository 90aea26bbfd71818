import { sql } from 'kysely';
import type { PaymentCheck } from '../../domain/payments/listed.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';
import type { Sql } from '../database.ts';

/** Remembers that something about a provider went well just now, to a minute. */
export async function noteCheck(
  on: Sql,
  { provider, what }: { provider: ProviderName; what: PaymentCheck },
): Promise<void> {
  await sql`insert into payment_checks as c (provider, what, at) values (${provider}, ${what}, clock_timestamp())
    on conflict (provider, what) do update set at = excluded.at where c.at < excluded.at - interval '1 minute'`.execute(
    on,
  );
}

/** When things about a provider last went well, in Unix seconds; 0: never. */
export interface ProviderFigures {
  readonly provider: ProviderName;
  readonly webhook: number;
  readonly hourly: number;
  readonly daily: number;
  /** When a purchase was last seen to be paid. */
  readonly paid: number;
}

/** One row a provider of `providers`. */
export async function readProviderFigures(on: Sql, providers: readonly ProviderName[]): Promise<ProviderFigures[]> {
  const { rows } = await sql<ProviderFigures>`
    with newest as (select provider, what, extract(epoch from at)::float8 as at from payment_checks)
    select p.provider, coalesce((select at from newest n where n.provider = p.provider and what = 'webhook'), 0) as webhook,
      coalesce((select at from newest n where n.provider = p.provider and what = 'hourly'), 0) as hourly,
      coalesce((select at from newest n where n.provider = p.provider and what = 'daily'), 0) as daily,
      coalesce((select extract(epoch from max(paid_at))::float8 from purchases u where u.provider = p.provider and paid_at > now() - interval '7 days'), 0) as paid
    from unnest(${providers as string[]}::text[]) p(provider)`.execute(on);
  return rows;
}
