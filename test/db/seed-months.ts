import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../../db/database.ts';

/** Ids of the accounts that are seeded. */
export const FIRST_ACCOUNT = 10_001;
/** Far enough apart that every model has its own. */
const RATES = { a: 900_001, b: 900_002, c: 900_003 } as const;

/**
 * Makes `accounts` accounts with two closed months, November and December 2025, as random bookings leave them: debits
 * by three models, adjustments of both signs, grants and reversals, in five zones. Counters and rollups are what the
 * ledger's statement would have made of the entries. Triggers and foreign keys are off meanwhile.
 */
export async function seedMonths(
  database: Database,
  { accounts, seed, most = 14 }: { accounts: number; seed: number; most?: number },
): Promise<void> {
  const last = FIRST_ACCOUNT + accounts - 1;
  await database.transaction(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    const run = (statement: RawBuilder<unknown>) => statement.execute(tx);
    await run(sql`select setseed(${seed}::float8)`);
    await run(sql`insert into model_rates (id, model, version, input, cached_input, output) overriding system value
      values (${RATES.a}, 'model-a', 1, 1000, 1000, 1000), (${RATES.b}, 'model-b', 1, 2000, 1000, 2000), (${RATES.c}, 'model-b', 2, 3000, 1000, 3000) on conflict do nothing`);
    await run(
      sql`insert into users (id, email) select n, null from generate_series(${FIRST_ACCOUNT}::int, ${last}::int) n`,
    );
    await run(sql`insert into accounts (id, user_id, time_zone, created_at) select n, n,
        (array['Asia/Seoul', 'America/New_York', 'Pacific/Apia', 'America/St_Johns', 'Asia/Kathmandu'])[1 + n % 5], timestamptz '2025-10-20Z'
      from generate_series(${FIRST_ACCOUNT}::int, ${last}::int) n`);
    await run(sql`insert into conversations (id, user_id, last_sequence, listed_at, title)
      select ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, n, 1000, now(), 'title ' || n from generate_series(${FIRST_ACCOUNT}::int, ${last}::int) n`);
    await run(sql`insert into periods (id, account_id, label, starts_at, ends_at, allowance_tokens) overriding system value
      select n * 10 + m, n, to_char(month, 'YYYY-MM'), month at time zone a.time_zone, (month + interval '1 month') at time zone a.time_zone, 1000000
      from generate_series(0, 1) m cross join lateral (select timestamp '2025-11-01' + m * interval '1 month' as month) x
        cross join generate_series(${FIRST_ACCOUNT}::int, ${last}::int) n join accounts a on a.id = n`);
    // 0 to `most` bookings a month; the first is a debit, so that an adjustment has something to take back.
    await run(sql`create temporary table seeded on commit drop as
      select n, account_id, period_id, at, (at at time zone time_zone)::date as day, gen_random_uuid() as turn_id, prompt, completion,
        case when nth = 1 or dice < 0.8 then 'debit' when dice < 0.88 then 'adjustment' when dice < 0.95 then 'grant' else 'reversal' end as kind, dice, amount
      from (
        select row_number() over (order by p.id, g) as n, p.account_id, p.id as period_id, a.time_zone, g as nth,
          p.starts_at + random() * (p.ends_at - p.starts_at) as at, random() as dice,
          (random() * 400)::int + 50 as prompt, (random() * 300)::int + 50 as completion, (random() * 90)::int + 1 as amount
        from periods p join accounts a on a.id = p.account_id
          cross join lateral generate_series(1, (p.account_id * 7919 + p.id) % (${most}::int + 1)) g
        where p.account_id between ${FIRST_ACCOUNT} and ${last}
      ) r`);
    await run(sql`insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, answer, answer_attempt, created_at, touched_at, ended_at, ever_admitted)
      select turn_id, account_id, account_id, ('00000000-0000-7000-9000-' || lpad(to_hex(account_id), 12, '0'))::uuid,
        row_number() over (partition by account_id order by n), 'completed', 'model-a', '', 'q', 10, 'o200k_base', 'a', 2, at, at, at, true from seeded where kind = 'debit'`);
    // A lost attempt before the one that answered: it is debited to nobody.
    await run(sql`insert into attempts (turn_id, number, run_id, hold_id, state, prompt_tokens, completion_tokens, reasoning_tokens, started_at, ended_at)
      select turn_id, k, 'run', turn_id, case k when 1 then 'lost' else 'answered' end, prompt, completion, completion / 2, at, at from seeded cross join generate_series(1, 2) k where kind = 'debit'`);
    await run(sql`insert into ledger_entries (account_id, period_id, day, kind, turn_id, hold_id, rate_id, prompt_tokens, cached_tokens, completion_tokens, tokens,
        purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta, estimated, created_at)
      select account_id, period_id, day, kind, case kind when 'debit' then turn_id end, case kind when 'debit' then turn_id end,
        case kind when 'debit' then (array[${RATES.a}::int, ${RATES.b}, ${RATES.c}])[1 + n % 3] end,
        case kind when 'debit' then prompt end, case kind when 'debit' then prompt / 4 end, case kind when 'debit' then completion end, tokens,
        case kind when 'grant' then tokens else 0 end, case kind when 'reversal' then -tokens else 0 end, 0,
        used, 0, used, kind = 'debit' and n % 20 = 0, at
      from (select *, case when kind in ('debit', 'adjustment') then tokens else 0 end as used from (
        select *, case kind when 'debit' then prompt + completion when 'adjustment' then case when n % 2 = 0 then amount else -amount end when 'grant' then amount else -amount end as tokens
        from seeded) s) t order by account_id, at`);
    await run(sql`insert into usage_rollups (period_id, day, rate_id, turns, prompt_tokens, cached_tokens, completion_tokens, used_tokens)
      select period_id, day, rate_id, count(*) filter (where kind = 'debit'), coalesce(sum(prompt_tokens), 0), coalesce(sum(cached_tokens), 0), coalesce(sum(completion_tokens), 0), sum(used_delta)
      from ledger_entries where account_id between ${FIRST_ACCOUNT} and ${last} and used_delta <> 0 group by period_id, day, rate_id`);
    await run(sql`update periods p set used_tokens = e.used, spent_allowance_tokens = e.used
      from (select period_id, sum(used_delta) as used from ledger_entries group by period_id) e where e.period_id = p.id and p.account_id between ${FIRST_ACCOUNT} and ${last}`);
    await run(sql`update accounts a set purchased_tokens = e.purchased, debt_tokens = e.debt
      from (select account_id, sum(purchased_delta) as purchased, sum(debt_delta) as debt from ledger_entries group by account_id) e where e.account_id = a.id and a.id between ${FIRST_ACCOUNT} and ${last}`);
  });
}
