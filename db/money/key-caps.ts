import { sql, type RawBuilder } from 'kysely';
import type { CapKind, KeyCap } from '../../domain/api-keys.ts';
import type { Instant } from '../../domain/period.ts';
import { first, type Database, type Sql } from '../database.ts';

/** The cap of a turn's key; all null: the turn came without a key, or its key has no cap. Tokens. */
export interface CapRow {
  capTokens: number | null;
  capKind: CapKind | null;
  /** Debits of the key, in the period `periodId` where the cap is one of a period. */
  capUsed: number;
  /** Live holds of the key's other turns. */
  capHeld: number;
}

/**
 * One row beside the account that is locked. A key's turns all have one payer, so whoever holds that account's lock
 * alone moves what is read here. Without a cap nothing but the key's row is read.
 */
export function selectCap(
  on: Sql,
  of: { accountId: RawBuilder<unknown>; periodId: RawBuilder<unknown>; turnId: string },
): RawBuilder<CapRow> {
  const { accountId, periodId, turnId } = of;
  return sql`select k.cap_tokens::float8 as "capTokens", k.cap_kind as "capKind",
      case when k.id is null then 0 else ${usedOf(periodId)} end as "capUsed",
      case when k.id is null then 0 else (select coalesce(sum(h.tokens), 0)::float8 from holds h join turns o on o.id = h.turn_id
        where h.account_id = ${accountId} and h.ended_at is null and h.expires_at > ${on.clock()} and h.turn_id <> ${turnId} and o.api_key_id = k.id) end as "capHeld"
    from (select api_key_id from turns where id = ${turnId}) t left join api_keys k on k.id = t.api_key_id and k.cap_tokens is not null`;
}

function usedOf(periodId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select coalesce(sum(u.used_tokens), 0)::float8 from key_usage u
    where u.key_id = k.id and (k.cap_kind = 'total' or u.period_id = ${periodId}))`;
}

/** @param isNewPeriod the account's period was over when it was read: nothing is used of the one that is open now. */
export function capOf({ capTokens, capKind, capUsed, capHeld }: CapRow, isNewPeriod: boolean): KeyCap | null {
  if (capTokens === null) return null;
  return { tokens: capTokens, used: isNewPeriod && capKind === 'period' ? 0 : capUsed, held: capHeld };
}

/** For the statement that books a debit: what the turn's key has used moves with the ledger. */
export function countForKey(turnId: string, periodId: number, tokens: number): RawBuilder<unknown> {
  return sql`insert into key_usage as u (key_id, period_id, used_tokens, turns)
    select api_key_id, ${periodId}::bigint, ${tokens}::bigint, 1 from turns where id = ${turnId} and api_key_id is not null
    on conflict (key_id, period_id) do update set used_tokens = u.used_tokens + excluded.used_tokens, turns = u.turns + 1`;
}

/** Live holds of key `k`. */
export function heldOf(on: Sql): RawBuilder<unknown> {
  return sql`(select coalesce(sum(h.tokens), 0)::float8 from holds h join turns o on o.id = h.turn_id
    where h.account_id = k.account_id and h.ended_at is null and h.expires_at > ${on.clock()} and o.api_key_id = k.id)`;
}

/** How a capped key stands. Tokens. */
export interface CapFigures {
  readonly keyId: number;
  readonly capTokens: number;
  readonly capKind: CapKind;
  readonly usedTokens: number;
  readonly heldTokens: number;
  /** When the period of the account that pays ends, in milliseconds; null: the cap never begins anew. */
  readonly resetsAt: Instant | null;
}

/** @returns null for a key without a cap. */
export async function readCap(database: Database, keyId: number): Promise<CapFigures | null> {
  const on = database.sql;
  return first(
    sql<CapFigures>`select k.id::float8 as "keyId", k.cap_tokens::float8 as "capTokens", k.cap_kind as "capKind", ${usedOf(sql`p.id`)} as "usedTokens",
        ${heldOf(on)} as "heldTokens",
        case when k.cap_kind = 'period' then floor(extract(epoch from p.ends_at) * 1000)::float8 end as "resetsAt"
      from api_keys k left join periods p on p.account_id = k.account_id and p.starts_at <= ${on.clock()} and p.ends_at > ${on.clock()}
      where k.id = ${keyId} and k.cap_tokens is not null`,
    on,
  );
}
