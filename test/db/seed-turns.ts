import { sql, type RawBuilder } from 'kysely';
import type { Database, Sql } from '../../db/database.ts';

/**
 * Makes turns as years of use leave them, in one statement: 200 users in 20-turn conversations, one turn a minute; 94 %
 * completed, 1 % stopped, 4 % failed, 1 % refused; of the failures six in ten are timeouts and one in a thousand
 * context_length; 3 % ran on model `b`, 0.02 % on `rare`; one failure in fifty was replayed.
 */
export async function seedTurns(database: Database, turns: number): Promise<void> {
  await sql`insert into users (id, email) select n, null from generate_series(1000, 1199) n`.execute(database.sql);
  await sql`insert into accounts (id, user_id) select n, n from generate_series(1000, 1199) n`.execute(database.sql);
  await sql`insert into conversations (id, user_id, last_sequence, listed_at)
    select ${conversation(sql`c`)}, 1000 + c % 200, 20, now() from generate_series(0, ${turns}::int / 20) c`.execute(
    database.sql,
  );
  await sql`
    insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, answer, attempt,
      error_code, ever_admitted, admitted_at, created_at, touched_at, ended_at, replayed_at)
    select gen_random_uuid(), user_id, user_id, ${conversation(sql`n / 20`)}, n % 20 + 1, state,
      case when n % 5000 = 7 then 'rare' when n % 33 = 0 then 'b' else 'a' end, '\\x00', 'q', 1, 'o200k_base', case when state = 'completed' then 'a' end, 1,
      case state when 'failed' then case when n % 1000 = 4 then 'context_length' when n % 10 < 6 then 'model_timeout' when n % 10 < 8 then 'model_unavailable' else 'interrupted' end
        when 'refused' then 'TOKEN_EXHAUSTED' end,
      state <> 'refused', created_at, created_at, created_at, created_at, case when state = 'failed' and n % 50 = 4 then created_at end
    from (
      select n, 1000 + (n / 20) % 200 as user_id, timestamptz '2026-01-01 00:00Z' + n * interval '1 minute' as created_at,
        case when n % 100 = 50 then 'stopped' when n % 100 = 51 then 'refused' when (n * 7919) % 100 < 4 or n % 1000 = 4 then 'failed' else 'completed' end as state
      from generate_series(0, ${turns}::int - 1) n
    ) seeded`.execute(database.sql);
  await sql`vacuum analyze turns`.execute(database.sql);
}

function conversation(number: RawBuilder<unknown>) {
  return sql`('00000000-0000-7000-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`;
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
}

export interface Looked {
  /** The rows of `turns` that the statement looked at, including those it discarded. */
  readonly rows: number;
  /** How it read them. */
  readonly ways: readonly string[];
}

/** Runs the query and reports what it looked at. */
export async function explain(on: Sql, query: RawBuilder<unknown>): Promise<Looked> {
  const {
    rows: [row],
  } = await sql<{ 'QUERY PLAN': [{ Plan: Plan }] }>`explain (analyze, format json) ${query}`.execute(on);
  const scans =
    row === undefined ? [] : flatten(row['QUERY PLAN'][0].Plan).filter((node) => node['Relation Name'] === 'turns');
  return {
    rows: scans.reduce(
      (sum, node) =>
        sum +
        node['Actual Loops'] *
          (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)),
      0,
    ),
    ways: scans.map(
      (node) => `${node['Node Type']}${node['Index Name'] === undefined ? '' : ` ${node['Index Name']}`}`,
    ),
  };
}

function flatten(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(flatten)];
}
