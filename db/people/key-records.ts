import { sql } from 'kysely';
import type { KeyState } from '../../domain/api-keys.ts';
import { AppError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/period.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, type Database, type Sql } from '../database.ts';
import { ApiKey } from '../entities/keys/api-key.ts';
import { heldOf } from '../money/key-caps.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';

const keyColumns = columnsOf(ApiKey, 'k', {
  keyId: 'id',
  hint: 'tokenHint',
  name: 'name',
  accountId: 'accountId',
  scopes: 'scopes',
  models: 'models',
  capTokens: 'capTokens',
  capKind: 'capKind',
  requestsPerMinute: 'requestsPerMinute',
  createdAt: 'createdAt',
  expiresAt: 'expiresAt',
  revokedAt: 'revokedAt',
  lastUsedAt: 'lastUsedAt',
  lastUsedFrom: 'lastUsedFrom',
});

/**
 * A key as its person sees it; one to sign in by has neither name, scopes nor account. Tokens: debits of the payer's
 * open period and of all time, and live holds.
 */
export type KeyRecord = RowOf<typeof keyColumns> & {
  readonly state: KeyState;
  readonly usedTokens: number;
  readonly turns: number;
  readonly usedTotalTokens: number;
  readonly heldTokens: number;
  /** The secret before the last rotation, while it is good. */
  readonly previousHint: string | null;
  readonly previousEndsAt: Instant | null;
};

/** Whose key it is. A key of the operator's is not among a person's. */
export interface OfPerson {
  readonly userId: number;
  readonly keyId: number;
}

/**
 * Newest first: those that are live or have expired, or those that were revoked.
 * @param list.withSignIn also those by which the person signs in, which an invitation or the operator made.
 */
export async function listKeys(
  database: Database,
  list: { userId: number; isRevoked: boolean; withSignIn?: boolean; limit: number; cursor: string | null },
): Promise<Page<KeyRecord>> {
  const after = list.cursor === null ? null : decodeCursor(list.cursor, ['number']);
  const { rows } = await selectKeys(
    database.reads,
    sql`${list.withSignIn === true ? sql`true` : IS_OWN} and k.user_id = ${list.userId} and (k.revoked_at is not null) = ${list.isRevoked}
      and (${after?.[0] ?? null}::bigint is null or k.id < ${after?.[0] ?? null}::bigint) order by k.id desc limit ${list.limit + 1}`,
  )
    .execute(database.reads)
    .catch(rethrowBadCursor);
  return pageOf(rows, list.limit, ({ keyId }) => encodeCursor([keyId]));
}

/** @throws AppError not_found. */
export async function getKey(on: Sql, { userId, keyId }: OfPerson): Promise<KeyRecord> {
  const key = await first(selectKeys(on, sql`${IS_OWN} and k.user_id = ${userId} and k.id = ${keyId}`), on);
  if (key === null) throw new AppError('not_found');
  return key;
}

/** The person made it themselves. */
const IS_OWN = sql`k.scopes is not null`;

function selectKeys(on: Sql, which: ReturnType<typeof sql>) {
  return sql<KeyRecord>`select ${keyColumns},
      case when k.revoked_at is not null then 'revoked' when k.expires_at <= now() then 'expired' else 'live' end as state,
      coalesce(now_used.used_tokens, 0)::float8 as "usedTokens", coalesce(now_used.turns, 0) as turns,
      (select coalesce(sum(used_tokens), 0)::float8 from key_usage where key_id = k.id) as "usedTotalTokens",
      ${heldOf(on)} as "heldTokens",
      previous.hint as "previousHint", floor(extract(epoch from previous.ends_at) * 1000)::float8 as "previousEndsAt"
    from api_keys k
      left join periods p on p.account_id = k.account_id and p.starts_at <= ${on.clock()} and p.ends_at > ${on.clock()}
      left join key_usage now_used on now_used.key_id = k.id and now_used.period_id = p.id
      left join lateral (select k.previous_hint as hint, k.previous_ends_at as ends_at where k.previous_ends_at > now()) previous on true
    where ${which}`;
}
