import type { Client } from 'pg';
import { monthOf, startOfMonth } from '../domain/period.ts';

/** How much is seeded, and what time it is then. */
export interface Seed {
  readonly rows: number;
  readonly accounts: number;
  /** How many months; the last is the month of `now`. */
  readonly months: number;
  readonly now: number;
}

/** This account has every tenth debit: a page of its list must cost no more than another account's. */
export const HOT_ACCOUNT = 1;
const ZONE = 'Asia/Seoul';

/**
 * Makes a ledger inside the server as months of use leave it. Debits are in order of time, spread over all accounts, by
 * three rates; their turns, rollups and periods exist, and accounts are used to every percentage. Triggers and foreign
 * keys are off meanwhile (a superuser may do so). Holds, attempts and conversations are not made, because nothing
 * measured reads them. Indexes are made when the rows are there.
 */
export async function seedLedger(client: Client, seed: Seed, say: (what: string) => void = () => {}): Promise<void> {
  await client.query(
    "set session_replication_role = replica; set statement_timeout = 0; set maintenance_work_mem = '512MB'; set work_mem = '256MB'",
  );
  const indexes = await dropIndexes(client);
  for (const [what, statement] of Object.entries(statements(seed))) {
    say(`seeding ${what}`);
    await client.query(statement);
  }
  for (const [i, index] of indexes.entries()) {
    say(`index ${i + 1} of ${indexes.length}`);
    await client.query(index);
  }
  for (const table of ['users', 'accounts', 'periods', 'usage_rollups', 'ledger_entries', 'turns'])
    await client.query(`vacuum (analyze) ${table}`);
  await client.query(
    'reset session_replication_role; reset statement_timeout; reset maintenance_work_mem; reset work_mem',
  );
}

async function dropIndexes(client: Client): Promise<string[]> {
  const { rows } = await client.query<{
    name: string;
    definition: string;
    table: string;
  }>(`select i.indexname as name, i.indexdef as definition, i.tablename as "table" from pg_indexes i
    where i.tablename in ('ledger_entries', 'turns') and not exists (select 1 from pg_constraint where conname = i.indexname)`);
  for (const { name } of rows) await client.query(`drop index ${name}`);
  // Turns keep only their primary key: the pages of usage find them by nothing else.
  return rows.filter(({ table }) => table === 'ledger_entries').map(({ definition }) => definition);
}

function statements({ rows, accounts, months, now }: Seed): Record<string, string> {
  const first = firstMonth(now, months);
  const from = startOfMonth(first, ZONE);
  const stepMicroseconds = Math.floor(((now - from) * 1_000) / rows);
  // SQL for the time and account of the n-th debit. It contains only numbers, all of them ours.
  const debits = `(
    select n, at, local::date as day, account, 100 + n % 900 as tokens, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id,
      (extract(year from local) * 12 + extract(month from local))::int - ${monthNumber(first)} as month
    from generate_series(0, ${rows - 1}) n
      cross join lateral (select timestamptz '${new Date(from).toISOString()}' + n::bigint * ${stepMicroseconds} * interval '1 microsecond' as at) t
      cross join lateral (select at at time zone '${ZONE}' as local) l
      cross join lateral (select case when n % 10 = 0 then ${HOT_ACCOUNT} else 2 + (n::bigint * 7919) % ${accounts - 1} end as account) a
  ) d`;
  return {
    users: `insert into users (id, email) select n, 'user' || n || '@example.com' from generate_series(1, ${accounts}) n`,
    accounts: `insert into accounts (id, user_id) select n, n from generate_series(1, ${accounts}) n`,
    rates: `insert into model_rates (id, model, version, input, cached_input, output) overriding system value
      values (1, 'a', 1, 1000, 1000, 1000), (2, 'a', 2, 1000, 500, 1000), (3, 'b', 1, 2000, 1000, 2000)`,
    turns: `insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, answer, created_at, touched_at, ended_at)
      select id, account, account, id, 1, 'completed', 'a', '', 'q', 1, 'o200k_base', 'a', at, at, at from ${debits}`,
    debits: `insert into ledger_entries (account_id, period_id, day, kind, turn_id, hold_id, rate_id, prompt_tokens, cached_tokens, completion_tokens, tokens,
        purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta, created_at)
      select account, (account - 1) * ${months} + 1 + month, day, 'debit', id, id, 1 + n % 3, tokens / 3, tokens / 10, tokens - tokens / 3, tokens, 0, 0, 0, tokens, 0, tokens, at from ${debits}`,
    rollups: `insert into usage_rollups (period_id, day, rate_id, turns, prompt_tokens, cached_tokens, completion_tokens, used_tokens)
      select period_id, day, rate_id, count(*), sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens), sum(used_delta) from ledger_entries group by period_id, day, rate_id`,
    periods: `insert into periods (id, account_id, label, starts_at, ends_at, allowance_tokens, used_tokens, spent_allowance_tokens) overriding system value
      select p.id, p.account, to_char(p.month, 'YYYY-MM'), p.month at time zone '${ZONE}', (p.month + interval '1 month') at time zone '${ZONE}',
        case when u.used is null then 100000 else u.used * 100 / (1 + p.account % 100) end, coalesce(u.used, 0), coalesce(u.used, 0)
      from (select (a - 1) * ${months} + 1 + m as id, a as account, timestamp '${first}-01' + m * interval '1 month' as month from generate_series(1, ${accounts}) a cross join generate_series(0, ${months - 1}) m) p
        left join (select period_id, sum(used_tokens) as used from usage_rollups group by period_id) u on u.period_id = p.id`,
  };
}

function firstMonth(now: number, months: number): string {
  const number = monthNumber(monthOf(now, ZONE)) - (months - 1);
  return `${Math.floor((number - 1) / 12)}-${String(((number - 1) % 12) + 1).padStart(2, '0')}`;
}

/** Months since year 0, January being 1. */
function monthNumber(label: string): number {
  const [year = 0, month = 0] = label.split('-').map(Number);
  return year * 12 + month;
}
