import { sql } from 'kysely';
import { one, type Database } from '../database.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';
import { readMostUnpaidTokens } from '../money/unpaid.ts';
import { remember } from '../remember.ts';
import { readProviderFigures, type ProviderFigures } from '../purchases/checks.ts';

/** What the turns of all users have set aside at this moment. Both counts come from partial indexes of live rows. */
export interface LiveFigures {
  readonly liveTurns: number;
  readonly liveHolds: number;
  readonly heldTokens: number;
}

/** Of images that nothing names any more. */
export interface LooseFigures {
  /** How long the oldest has waited to be removed from the store, in seconds; 0: none waits. */
  readonly looseObjectSeconds: number;
}

/** Of the last proof of the counters that came to its end. */
export interface ProofFigures {
  /** Unix seconds; 0 when there was none yet. */
  readonly proofCompletedSeconds: number;
  readonly proofMismatches: number;
}

/** How old a figure may be. More frequent scrapes do not read PostgreSQL more often. */
const LIVE_FOR_MS = 1_000;
const OVERSHOOT_FOR_MS = 30_000;

/**
 * @returns a function for scrapes. It reads the live rows at most once a second and the ledger at most once in 30 s.
 */
export function createFigures(
  database: Database,
): () => Promise<
  LiveFigures & ProofFigures & LooseFigures & { readonly overshootTokens: number; readonly mostUnpaidTokens: number }
> {
  const live = remember(async () => {
    const [figures, proof, loose] = await Promise.all([
      readLiveFigures(database),
      readProof(database),
      readLoose(database),
    ]);
    return { ...figures, ...proof, ...loose };
  }, LIVE_FOR_MS);
  const overshoot = remember(() => readOvershoot(database), OVERSHOOT_FOR_MS);
  const unpaid = remember(() => readMostUnpaidTokens(database.sql), OVERSHOOT_FOR_MS);
  return async () => {
    const [figures, overshootTokens, mostUnpaidTokens] = await Promise.all([live(), overshoot(), unpaid()]);
    return { ...figures, overshootTokens, mostUnpaidTokens };
  };
}

/** @returns a function for scrapes: when things about these providers last went well. */
export function createPaymentFigures(
  database: Database,
  providers: readonly { readonly name: ProviderName }[],
): () => Promise<ProviderFigures[]> {
  if (providers.length === 0) return () => Promise.resolve([]);
  const names = providers.map(({ name }) => name);
  return remember(() => readProviderFigures(database.sql, names), OVERSHOOT_FOR_MS);
}

export async function readLiveFigures(database: Database): Promise<LiveFigures> {
  return one(
    sql<LiveFigures>`select (select count(*)::int from turns where state in ('accepted', 'running')) as "liveTurns",
    count(*)::int as "liveHolds", coalesce(sum(tokens), 0)::float8 as "heldTokens"
    from holds where state = 'pending' and expires_at > now()`,
    database.sql,
  );
}

export async function readProof(database: Database): Promise<ProofFigures> {
  return one(
    sql<ProofFigures>`select coalesce(extract(epoch from completed_at), 0)::float8 as "proofCompletedSeconds", mismatches as "proofMismatches" from proofs`,
    database.sql,
  );
}

async function readLoose(database: Database): Promise<LooseFigures> {
  return one(
    sql<LooseFigures>`select coalesce(extract(epoch from now() - min(noted_at)), 0)::float8 as "looseObjectSeconds"
      from loose_objects where user_id is null`,
    database.sql,
  );
}

/** The proof looks one day back, so that an incident stays visible for a day. */
const PROVE_SINCE = sql.raw("interval '1 day'");
/** `created_at` is when a transaction began, which may be this long before it took the account's lock. */
const BEGAN_EARLIER = sql.raw("interval '30 seconds'");

/**
 * Tokens debited beyond the ceiling that nothing explains (policy 5): must be 0. The proof uses the entries alone, not
 * their flags. For each debit it adds up the account's used tokens and ceiling of that moment. Two things since the
 * debit's own hold was made explain tokens above the ceiling: what providers charged beyond their holds, and how far
 * the ceiling came down. A hold made in an earlier period is explained by the reset. The rest was let in by an
 * admission that should have refused it.
 *
 * Only debits that used overage can lie above the ceiling, and those have an index of their own
 * (`ledger_overage_debits`).
 */
export async function readOvershoot(database: Database): Promise<number> {
  const { overshoot } = await one(
    sql<{ overshoot: number }>`
    with suspects as (
      select account_id, period_id, (select min(id) from ledger_entries where period_id = recent.period_id) as first_id
      from (select distinct account_id, period_id from ledger_entries
        where kind = 'debit' and overage_delta > 0 and created_at > now() - ${PROVE_SINCE}) recent
    ), moments as (
      select s.period_id, e.id, e.kind, e.tokens, e.hold_id, e.created_at, e.period_id = s.period_id as inside,
        sum(e.used_delta) filter (where e.period_id = s.period_id) over so_far as used,
        -- The balance of then: today's without what came after.
        floor((p.allowance_tokens + a.purchased_tokens - coalesce(sum(e.purchased_delta) over later, 0)
          + sum(e.spent_purchased_delta) filter (where e.period_id = s.period_id) over so_far) * 105 / 100) as ceiling
      from suspects s join accounts a on a.id = s.account_id join periods p on p.id = s.period_id
        join ledger_entries e on e.account_id = s.account_id and e.id >= s.first_id
      window so_far as (partition by s.period_id order by e.id),
        later as (partition by s.period_id order by e.id rows between 1 following and unbounded following)
    ), steps as (
      select m.*, h.created_at as held_at, h.tokens as held,
        greatest(0, lag(m.ceiling) over (partition by m.period_id order by m.id) - m.ceiling) as came_down
      from moments m left join holds h on h.id = m.hold_id where m.inside
    ), unexplained as (
      select d.period_id, d.used - d.ceiling - (
        select coalesce(sum(greatest(0, s.tokens - s.held) + s.came_down), 0) from steps s
        where s.period_id = d.period_id and s.id <= d.id and s.created_at > d.held_at - ${BEGAN_EARLIER}
      ) as tokens
      from steps d join periods p on p.id = d.period_id
      where d.kind = 'debit' and d.used > d.ceiling and d.held_at >= p.starts_at
    )
    select coalesce(sum(most), 0)::float8 as overshoot from (select max(greatest(0, tokens)) as most from unexplained group by period_id) per_period`,
    database.sql,
  );
  return overshoot;
}
