import { sql } from 'kysely';
import { one, type Database, type Sql } from '../database.ts';

/** What one proof looked at. */
export interface Proof {
  /** Entries that were added to the sums of their periods now. */
  readonly entries: number;
  /** Periods whose counters, rollups or account were compared. */
  readonly periods: number;
  /** Accounts, periods and periods' rollups that differ from the sum of their entries. It must be 0. */
  readonly mismatches: number;
  /** Accounts in which something differs, 20 at most. */
  readonly accountIds: readonly number[];
}

export interface ProofOptions {
  /** Entries that one statement adds up: 20,000 take less than a second. */
  readonly pageSize?: number;
  /** Periods that did not move and are compared all the same, the next ones each time. */
  readonly sweep?: number;
  /** Called after each statement. It throws to end the proof, which goes on there the next time. */
  readonly onStep?: () => void;
}

/**
 * Numbers are given out in the order of the writes and not of the commits: a transaction may commit an entry with a
 * lower number than those that are seen already. None lasts this long, by the limits of each connection.
 */
export const COMMITTED_WITHIN = sql.raw("interval '10 minutes'");
const COMPARED_AT_ONCE = 1_000;

/**
 * Proves that counters and rollups equal the ledger. Entries are added to the sums of their period once, page by page.
 * Then the periods that moved lately, those that differed before, and the next `sweep` others are compared: each by one
 * statement, so in one snapshot, which adds what was booked since. So a proof costs what was booked since the last one,
 * however long the ledger is; and a counter that changes without an entry is found when the sweep comes by.
 *
 * Several may run at once: each step is done under the lock of the one row of `proofs`.
 */
export async function proveBooks(
  database: Database,
  { pageSize = 20_000, sweep = 1_000, onStep = () => {} }: ProofOptions = {},
): Promise<Proof> {
  const moved = new Set<number>();
  let entries = 0;
  for (let at: Place = { after: 0, settled: -1 }; ;) {
    const page = await addUp(database, at, pageSize);
    onStep();
    entries += page.added;
    for (const period of page.periods) moved.add(period);
    if (page.seen < pageSize) break;
    at = page.next;
  }
  const { periods: others, next } = await findOthers(database.sql, sweep);
  const periods = [...new Set([...moved, ...others])];
  for (let from = 0; from < periods.length; from += COMPARED_AT_ONCE) {
    await compare(database, periods.slice(from, from + COMPARED_AT_ONCE));
    onStep();
  }
  return { entries, periods: periods.length, ...(await complete(database, next)) };
}

/** The last entry that was read, and the one up to which the row of `proofs` said that all are in their sums. */
type Place = { readonly after: number; readonly settled: number };

/** Adds the next page of entries to the sums of their periods. */
async function addUp(database: Database, { after: last, settled }: Place, pageSize: number) {
  return database.transaction(async (tx) => {
    const { throughId } = await one(
      sql<{ throughId: number }>`select through_id::float8 as "throughId" from proofs where id = 1 for update`,
      tx,
    );
    // It only grows, unless somebody has it all added up again.
    const after = throughId < settled ? throughId : Math.max(last, throughId);
    const page = await one(
      sql<{ seen: number; added: number; lastId: number; settledId: number; periods: number[] }>`
      with page as materialized (
        select id, period_id, created_at from ledger_entries where id > ${after}::bigint order by id limit ${pageSize}::int
      ), bound as materialized (
        select count(*)::int as seen, coalesce(max(id), ${after}::bigint) as last_id, array_agg(distinct period_id::float8) as periods,
          coalesce(max(id) filter (where created_at < now() - ${COMMITTED_WITHIN}), 0) as settled_id
        from page
      ), fresh as materialized (
        select moved.period_id, e.* from (select distinct period_id from page) moved cross join bound
          left join proved_periods p on p.period_id = moved.period_id
          cross join lateral (
            select max(id) as through_id, count(*) as entries, ${SUMS_OF_ENTRIES} from ledger_entries ${WEIGHTS}
            where period_id = moved.period_id and id > coalesce(p.through_id, 0) and id <= bound.last_id
          ) e where e.through_id is not null
      ), added as (
        insert into proved_periods as p (period_id, through_id, ${SUMS})
        select period_id, through_id, ${SUMS} from fresh
        on conflict (period_id) do update set through_id = excluded.through_id, ${sql.join(
          COLUMNS.map((name) => sql`${sql.ref(name)} = p.${sql.ref(name)} + excluded.${sql.ref(name)}`),
        )}
      ), moved_on as (
        update proofs set through_id = greatest(through_id, (select settled_id from bound)) where id = 1
      )
      select seen, coalesce((select sum(entries) from fresh), 0)::int as added, last_id::float8 as "lastId",
        greatest(settled_id, ${throughId}::bigint)::float8 as "settledId", coalesce(periods, '{}') as periods
      from bound`,
      tx,
    );
    return { ...page, next: { after: page.lastId, settled: page.settledId } };
  });
}

/** Those that differed, and the next ones in turn. */
async function findOthers(on: Sql, sweep: number): Promise<{ periods: number[]; next: number }> {
  return one(
    sql<{ periods: number[]; next: number }>`
    with swept as materialized (
      select id from periods where id > (select swept_id from proofs where id = 1) order by id limit ${sweep}::int
    )
    select coalesce((select array_agg(period_id::float8) from (
        select id as period_id from swept union select period_id from proved_periods where differs > 0) others), '{}') as periods,
      case when (select count(*) from swept) < ${sweep}::int then 0 else coalesce((select max(id) from swept), swept_id) end::float8 as next
    from proofs where id = 1`,
    on,
  );
}

/** Compares these periods with their sums and what was booked since, and writes down which differ. */
async function compare(database: Database, periods: readonly number[]): Promise<void> {
  const { rows } = await sql<{ periodId: number; differs: number }>`
    select d.id::float8 as "periodId", c.differs from unnest(${periods}::bigint[]) as looked_at (id)
      join periods d on d.id = looked_at.id join accounts a on a.id = d.account_id
      left join proved_periods p on p.period_id = d.id
      cross join lateral (
        select ${SUMS_OF_ENTRIES} from ledger_entries ${WEIGHTS} where period_id = d.id and id > coalesce(p.through_id, 0)
      ) late
      cross join lateral (
        select ${MARK_OF_ROLLUPS} from usage_rollups ${WEIGHTS} where period_id = d.id
      ) rolled_up
      cross join lateral (
        select coalesce(max(o.through_id), 0) as through_id, coalesce(sum(o.purchased_tokens), 0) as purchased_tokens, coalesce(sum(o.debt_tokens), 0) as debt_tokens,
          max(every.ends_at) as ends_at
        from periods every left join proved_periods o on o.period_id = every.id where every.account_id = d.account_id
      ) whole
      cross join lateral (
        select coalesce(sum(purchased_delta), 0) as purchased_tokens, coalesce(sum(debt_delta), 0) as debt_tokens
        from ledger_entries where account_id = d.account_id and id > whole.through_id
      ) newest
      cross join lateral (select
        ((d.used_tokens, d.spent_purchased_tokens, d.spent_allowance_tokens, d.overage_tokens) <> (
          coalesce(p.used_tokens, 0) + late.used_tokens, coalesce(p.spent_purchased_tokens, 0) + late.spent_purchased_tokens,
          coalesce(p.spent_allowance_tokens, 0) + late.spent_allowance_tokens, coalesce(p.overage_tokens, 0) + late.overage_tokens))::int
        + (rolled_up.rollup_mark <> coalesce(p.rollup_mark, 0) + late.rollup_mark)::int
        + (d.ends_at = whole.ends_at and (a.purchased_tokens, a.debt_tokens) <> (
          whole.purchased_tokens + newest.purchased_tokens, whole.debt_tokens + newest.debt_tokens))::int as differs
      ) c
    where c.differs <> coalesce(p.differs, 0)`.execute(database.sql);
  if (rows.length === 0) return;
  await database.transaction(async (tx) => {
    await sql`select 1 from proofs where id = 1 for update`.execute(tx);
    tx.write(sql`
      insert into proved_periods (period_id, through_id, ${SUMS}, differs)
      select period_id, 0, ${sql.join(COLUMNS.map(() => sql`0`))}, differs
      from unnest(${rows.map(({ periodId }) => periodId)}::bigint[], ${rows.map(({ differs }) => differs)}::smallint[]) as found (period_id, differs)
      on conflict (period_id) do update set differs = excluded.differs`);
  });
}

async function complete(database: Database, swept: number): Promise<Pick<Proof, 'mismatches' | 'accountIds'>> {
  return one(
    sql<Pick<Proof, 'mismatches' | 'accountIds'>>`
    with differing as materialized (
      select p.differs, d.account_id from proved_periods p join periods d on d.id = p.period_id where p.differs > 0
    ), completed as (
      update proofs set completed_at = clock_timestamp(), swept_id = ${swept}::bigint,
        mismatches = (select coalesce(sum(differs), 0) from differing) where id = 1 returning mismatches
    )
    select mismatches, coalesce((select array_agg(account_id::float8 order by account_id)
      from (select distinct account_id from differing order by account_id limit 20) few), '{}') as "accountIds" from completed`,
    database.sql,
  );
}

const COLUMNS = [
  'purchased_tokens',
  'debt_tokens',
  'spent_purchased_tokens',
  'spent_allowance_tokens',
  'overage_tokens',
  'used_tokens',
  'rollup_mark',
] as const;
const SUMS = sql.join(COLUMNS.map((name) => sql.ref(name)));

/**
 * One number that stands for all rollups of a period. Each column has a weight of its own on each day and rate, so what
 * is booked on another day, by another rate or in another column gives another number. md5 only gives weights here, 24
 * bits each: it is the same in every version of PostgreSQL, which its own hash functions need not be.
 */
const WEIGHTS = sql.raw(
  `cross join lateral (select md5(day - date '2000-01-01' || '/' || coalesce(rate_id, 0)) as w offset 0) weights`,
);
function markOf(columns: readonly string[]): string {
  const weigh = (column: string, at: number) =>
    `coalesce(${column}, 0)::numeric * ('x' || substr(w, ${at * 6 + 1}, 6))::bit(24)::int`;
  return `coalesce(sum(${columns.map(weigh).join(' + ')}), 0) as rollup_mark`;
}
const TOKENS = ['prompt_tokens', 'cached_tokens', 'completion_tokens'];
const MARK_OF_ROLLUPS = sql.raw(markOf(['turns', ...TOKENS, 'used_tokens']));

/** The sums of some entries, by the names of `proved_periods`. */
const SUMS_OF_ENTRIES = sql.raw(
  [
    ...COLUMNS.slice(0, -1).map((name) => `coalesce(sum(${name.replace('_tokens', '_delta')}), 0) as ${name}`),
    markOf(['(rate_id is not null)::int', ...TOKENS, 'used_delta']),
  ].join(', '),
);
