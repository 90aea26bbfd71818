import { sql } from 'kysely';
import { one, type Sql } from '../database.ts';

const THIS_HOUR = sql.raw("date_trunc('hour', now(), 'UTC')");

/**
 * Adds an empty answer to its account's hour (policy 11), for a statement whose `failed` is the attempt that it has
 * just ended: an attempt ends once, so it is counted once. A provider that said nothing of usage has read the prompt at
 * least.
 */
export const COUNT_UNPAID = sql`insert into unpaid_tokens as u (account_id, hour, tokens)
    select h.account_id, ${THIS_HOUR}, coalesce(f.prompt_tokens::bigint + f.completion_tokens, h.prompt_tokens)
    from failed f join holds h on h.id = f.hold_id where f.finish_reason = 'stop'
    on conflict (account_id) do update set hour = excluded.hour,
      tokens = excluded.tokens + case when u.hour = excluded.hour then u.tokens else 0 end`;

/** Tokens that the account's empty answers of this hour used, which nobody paid. */
export async function readUnpaidTokens(on: Sql, accountId: number): Promise<number> {
  const { tokens } = await one(
    sql<{
      tokens: number;
    }>`select coalesce(max(tokens), 0)::float8 as tokens from unpaid_tokens where account_id = ${accountId} and hour = ${THIS_HOUR}`,
    on,
  );
  return tokens;
}

/** The most of any account. */
export async function readMostUnpaidTokens(on: Sql): Promise<number> {
  const { most } = await one(
    sql<{ most: number }>`select coalesce(max(tokens), 0)::float8 as most from unpaid_tokens where hour = ${THIS_HOUR}`,
    on,
  );
  return most;
}
