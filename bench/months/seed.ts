import type { Client } from 'pg';
import { followingMonth, monthBefore, monthOf, startOfMonth } from '../../domain/period.ts';

export const ZONE = 'Asia/Seoul';
/** Above the ids of the people who chat meanwhile. */
export const FIRST_ID = 1_000_001;
/** Debits of an account in the month that is over. */
const DEBITS = 20;
const RATE = 900_001;

export interface ClosedMonth {
  readonly label: string;
  /** The label of the month that begins then, and when its resets fire. */
  readonly next: string;
  readonly firedFor: number;
}

/** The month before the present one, on the wall clock of `ZONE`. */
export function closedMonth(now: number): ClosedMonth {
  const next = monthOf(now, ZONE);
  return { label: monthBefore(next), next, firedFor: startOfMonth(next, ZONE) + (4 * 60 + 5) * 60_000 };
}

/**
 * Makes accounts whose month has just ended at the same instant, as it leaves them: 20 debits each, with their turns,
 * attempts and rollups, the reset armed, and nothing of the month that has begun. A tenth of them was at 90 % and was
 * told so. Triggers and foreign keys are off meanwhile (a superuser may do so).
 */
export async function seedClosedMonths(client: Client, { label }: ClosedMonth, accounts: number): Promise<void> {
  const ids = `generate_series(${FIRST_ID}::bigint, ${FIRST_ID + accounts - 1}::bigint)`;
  const [from, to] = [startOfMonth(label, ZONE), startOfMonth(followingMonth(label), ZONE)].map(
    (at) => `timestamptz '${new Date(at).toISOString()}'`,
  );
  const debits = `(select a, k, ${uuid('7001', 'a', 'k')} as id, ${from} + ((a * 7919 + k * 104729) % 2592000) * interval '1 second' as at, 200 + (a + k) % 300 as tokens
    from ${ids} a, generate_series(1, ${DEBITS}) k) d`;
  await client.query('set session_replication_role = replica; set statement_timeout = 0');
  for (const statement of [
    `insert into model_rates (id, model, version, input, cached_input, output) overriding system value values (${RATE}, 'seeded', 1, 1000, 1000, 1000)`,
    `insert into users (id, email, locale) select a, null, 'ko' from ${ids} a`,
    `insert into accounts (id, user_id, time_zone, created_at) select a, a, '${ZONE}', ${from} - interval '40 days' from ${ids} a`,
    `insert into addresses (user_id, email, verified_at) select a, 'p' || a || '@example.com', now() from ${ids} a`,
    `insert into conversations (id, user_id, last_sequence, listed_at, title) select ${uuid('7000', 'a', '0')}, a, ${DEBITS}, now(), 'a title' from ${ids} a`,
    `insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, answer, answer_attempt, attempt,
        ever_admitted, created_at, touched_at, ended_at)
      select id, a, a, ${uuid('7000', 'a', '0')}, k, 'completed', 'seeded', '', 'q', 20, 'o200k_base', 'a', 1, 1, true, at, at, at from ${debits}`,
    `insert into attempts (turn_id, number, run_id, hold_id, state, prompt_tokens, completion_tokens, reasoning_tokens, started_at, ended_at)
      select id, 1, 'run', id, 'answered', tokens / 2, tokens - tokens / 2, 10, at, at from ${debits}`,
    `insert into periods (account_id, label, starts_at, ends_at, allowance_tokens, used_tokens, spent_allowance_tokens, reset_armed)
      select a, '${label}', ${from}, ${to}, case when a % 10 = 0 then sum(tokens) * 100 / 92 else 100000 end, sum(tokens), sum(tokens), true from ${debits} group by a`,
    `insert into ledger_entries (account_id, period_id, day, kind, turn_id, hold_id, rate_id, prompt_tokens, cached_tokens, completion_tokens, tokens,
        purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta, created_at)
      select a, p.id, (at at time zone '${ZONE}')::date, 'debit', d.id, d.id, ${RATE}, tokens / 2, 0, tokens - tokens / 2, tokens, 0, 0, 0, tokens, 0, tokens, at
      from ${debits} join periods p on p.account_id = a order by a, at`,
    `insert into usage_rollups (period_id, day, rate_id, turns, prompt_tokens, cached_tokens, completion_tokens, used_tokens)
      select period_id, day, rate_id, count(*), sum(prompt_tokens), 0, sum(completion_tokens), sum(used_delta) from ledger_entries where rate_id = ${RATE} group by period_id, day, rate_id`,
    `insert into alerts (account_id, period_id, level, nth, used_tokens, total_tokens, created_at)
      select account_id, id, 'WARNING', 1, used_tokens, allowance_tokens, ends_at - interval '1 day' from periods where account_id >= ${FIRST_ID} and account_id % 10 = 0`,
    'reset session_replication_role; reset statement_timeout',
  ])
    await client.query(statement);
  for (const table of ['accounts', 'periods', 'usage_rollups', 'ledger_entries', 'turns', 'attempts'])
    await client.query(`vacuum (analyze) ${table}`);
}

function uuid(version: string, ...numbers: readonly [string, string]): string {
  const [account, nth] = numbers;
  return `('00000000-0000-${version}-8000-' || lpad(to_hex(${account} * 100 + ${nth}), 12, '0'))::uuid`;
}
