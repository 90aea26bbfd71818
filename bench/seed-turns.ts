import type { Client } from 'pg';

/** When the last turn was accepted; the first was accepted a year before. */
export const NEWEST = Date.parse('2026-11-28T12:00:00+09:00');
/** This user has every tenth conversation. */
export const HOT_USER = 1;
const USERS = 200_000;
const YEAR_MS = 365 * 86_400_000;
const TURNS_A_CONVERSATION = 20;

export function conversationOf(number: number): string {
  return `00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

/**
 * Makes turns inside the server as a year of use leaves them, in conversations of twenty: 94 % completed, 1 % stopped,
 * 4 % failed, 1 % refused; of the failures six in ten are timeouts and one in a thousand context_length; 3 % ran on
 * model `b`, 0.02 % on `rare`; one failure in fifty was replayed. Triggers and foreign keys are off meanwhile (a
 * superuser may do so). Other tables stay empty, because nothing measured reads them.
 */
export async function seedTurns(client: Client, rows: number, say: (what: string) => void): Promise<void> {
  await client.query(
    "set session_replication_role = replica; set statement_timeout = 0; set maintenance_work_mem = '512MB'",
  );
  const { rows: indexes } = await client.query<{
    name: string;
    definition: string;
  }>(`select i.indexname as name, i.indexdef as definition from pg_indexes i
    where i.tablename = 'turns' and not exists (select 1 from pg_constraint where conname = i.indexname)`);
  for (const { name } of indexes) await client.query(`drop index ${name}`);
  say('seeding turns');
  await client.query(`
    insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, answer, attempt,
      error_code, ever_admitted, admitted_at, created_at, touched_at, ended_at, replayed_at)
    select ${uuid('n', '7001')}, user_id, user_id, ${uuid(`(n / ${TURNS_A_CONVERSATION})`, '7000')}, n % ${TURNS_A_CONVERSATION} + 1, state,
      case when n % 5000 = 7 then 'rare' when n % 33 = 0 then 'b' else 'a' end, '\\x00', 'q', 1, 'o200k_base', case when state = 'completed' then 'a' end, 1,
      case state when 'failed' then case when n % 1000 = 4 then 'context_length' when n % 10 < 6 then 'model_timeout' when n % 10 < 8 then 'model_unavailable' else 'interrupted' end
        when 'refused' then 'TOKEN_EXHAUSTED' end,
      state <> 'refused', at, at, at, at, case when state = 'failed' and n % 50 = 4 then at end
    from (
      select n, timestamptz '${new Date(NEWEST - YEAR_MS).toISOString()}' + n * interval '1 microsecond' * ${Math.floor((YEAR_MS * 1_000) / rows)}::bigint as at,
        case when n / ${TURNS_A_CONVERSATION} % 10 = 0 then ${HOT_USER} else 2 + (n / ${TURNS_A_CONVERSATION} * 7919) % ${USERS - 1} end as user_id,
        case when n % 100 = 50 then 'stopped' when n % 100 = 51 then 'refused' when (n * 7919) % 100 < 4 or n % 1000 = 4 then 'failed' else 'completed' end as state
      from generate_series(0::bigint, ${rows - 1}) n
    ) turn`);
  for (const [i, { definition }] of indexes.entries()) {
    say(`index ${i + 1} of ${indexes.length}`);
    await client.query(definition);
  }
  await client.query('vacuum (analyze) turns');
}

function uuid(number: string, version: string): string {
  return `('00000000-0000-${version}-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`;
}
