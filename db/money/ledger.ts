import { sql } from 'kysely';
import {
  applyPosting,
  decideAdjustment,
  decideDebit,
  decideGrant,
  decideReversal,
  type Balance,
  type Posting,
} from '../../domain/balance.ts';
import type { Period } from '../../domain/period.ts';
import { ceilingOf, totalAvailable } from '../../domain/policy.ts';
import type { Usage } from '../../domain/usage.ts';
import { one, type Tx } from '../database.ts';
import { countForKey } from './key-caps.ts';
import type { LockedAccount } from './locked-account.ts';

/**
 * The ONLY writer of balances and rollups. Every function needs the account's lock. It appends one entry, and moves the
 * counters and the day's rollup by the same deltas in the same statement, so that both always equal the sum of the
 * entries (reconcile proves it).
 */
export interface Booked {
  readonly entryId: number;
  readonly balance: Balance;
}

export interface Debit {
  readonly turnId: string;
  readonly holdId: string;
  /** The rate version that the hold fixed. */
  readonly rateId: number;
  /** The usage from which `tokens` were metered. */
  readonly usage: Pick<Usage, 'promptTokens' | 'cachedTokens' | 'completionTokens'>;
  readonly tokens: number;
  readonly heldTokens: number;
  readonly estimated: boolean;
}

/**
 * Books what a turn used, whatever the total has become since its hold: only admission enforces the ceiling (policy 5).
 * The commit reports a debit that was refused.
 * @returns the balance after the debit.
 */
export function bookDebit(tx: Tx, account: LockedAccount, debit: Debit): Balance {
  const overHold = debit.tokens > debit.heldTokens;
  const ceiling = ceilingOf(totalAvailable(account.balance));
  const delta = decideDebit(account.balance, debit.tokens);
  tx.write(
    entryOf(account, delta, {
      kind: 'debit',
      tokens: debit.tokens,
      turnId: debit.turnId,
      holdId: debit.holdId,
      metered: debit,
      estimated: debit.estimated,
      overHold,
      // Admission kept used + holds under the ceiling, so a debit within its hold passes it only if the ceiling has
      // come down.
      ceilingMoved: !overHold && account.balance.used + debit.tokens > ceiling,
    }),
  );
  return applyPosting(account.balance, delta);
}

export interface Grant {
  readonly tokens: number;
  readonly reason: string;
  readonly key: string;
}

export async function bookGrant(tx: Tx, account: LockedAccount, grant: Grant): Promise<Booked> {
  return writeEntry(tx, account, decideGrant(account.balance, grant.tokens), {
    kind: 'grant',
    tokens: grant.tokens,
    reason: grant.reason,
    key: grant.key,
  });
}

/** Takes a grant back, whole or in part. The entry is linked to the one it reverses. */
export async function bookReversal(
  tx: Tx,
  account: LockedAccount,
  reversal: Grant & { reversesId: number },
): Promise<Booked> {
  return writeEntry(tx, account, decideReversal(account.balance, reversal.tokens), {
    kind: 'reversal',
    tokens: -reversal.tokens,
    reason: reversal.reason,
    key: reversal.key,
    reversesId: reversal.reversesId,
  });
}

/** Sets `used` to a wanted value, for tests of the levels. @returns null when it has that value already. */
export async function bookAdjustment(
  tx: Tx,
  account: LockedAccount,
  wantedUsed: number,
  reason: string,
): Promise<Booked | null> {
  if (wantedUsed === account.balance.used) return null;
  return writeEntry(tx, account, decideAdjustment(account.balance, wantedUsed), {
    kind: 'adjustment',
    tokens: wantedUsed - account.balance.used,
    reason,
  });
}

/**
 * Opens an account's next period. (account, label) is unique, so a second opener of the same period fails and never
 * doubles it.
 */
export async function openPeriod(
  tx: Tx,
  { accountId, period, allowance }: { accountId: number; period: Period; allowance: number },
): Promise<number> {
  const { id } = await one(
    sql<{ id: number }>`
    insert into periods (account_id, label, starts_at, ends_at, allowance_tokens)
    values (${accountId}, ${period.label}, ${new Date(period.startsAt)}, ${new Date(period.endsAt)}, ${allowance})
    returning id::float8 as id`,
    tx,
  );
  return id;
}

interface Entry {
  kind: 'debit' | 'grant' | 'reversal' | 'adjustment';
  tokens: number;
  turnId?: string;
  holdId?: string;
  metered?: Pick<Debit, 'rateId' | 'usage'>;
  reversesId?: number;
  key?: string;
  reason?: string;
  estimated?: boolean;
  overHold?: boolean;
  ceilingMoved?: boolean;
}

async function writeEntry(tx: Tx, account: LockedAccount, delta: Posting, entry: Entry): Promise<Booked> {
  const { id } = await one(entryOf(account, delta, entry), tx);
  return { entryId: id, balance: applyPosting(account.balance, delta) };
}

function entryOf(account: LockedAccount, delta: Posting, entry: Entry) {
  const { rateId = null, usage = null } = entry.metered ?? {};
  const ofKey = entry.turnId === undefined ? null : countForKey(entry.turnId, account.periodId, delta.used);
  return sql<{ id: number }>`
    with moved_account as (
      update accounts set purchased_tokens = purchased_tokens + ${delta.purchased}::bigint, debt_tokens = debt_tokens + ${delta.debt}::bigint
      where id = ${account.accountId}
    ), moved_period as (
      update periods set used_tokens = used_tokens + ${delta.used}::bigint,
        spent_purchased_tokens = spent_purchased_tokens + ${delta.spentPurchased}::bigint,
        spent_allowance_tokens = spent_allowance_tokens + ${delta.spentAllowance}::bigint,
        overage_tokens = overage_tokens + ${delta.overage}::bigint
      where id = ${account.periodId}
    ), rolled_up as (
      insert into usage_rollups as r (period_id, day, rate_id, turns, prompt_tokens, cached_tokens, completion_tokens, used_tokens)
      select ${account.periodId}::bigint, ${account.today}::date, ${rateId}::integer, ${rateId === null ? 0 : 1}::integer, ${usage?.promptTokens ?? 0}::bigint,
        ${usage?.cachedTokens ?? 0}::bigint, ${usage?.completionTokens ?? 0}::bigint, ${delta.used}::bigint where ${delta.used}::bigint <> 0
      on conflict on constraint usage_rollups_one_per_day_and_rate do update set turns = r.turns + excluded.turns,
        prompt_tokens = r.prompt_tokens + excluded.prompt_tokens, cached_tokens = r.cached_tokens + excluded.cached_tokens,
        completion_tokens = r.completion_tokens + excluded.completion_tokens, used_tokens = r.used_tokens + excluded.used_tokens
    )${ofKey === null ? sql`` : sql`, of_key as (${ofKey})`}
    insert into ledger_entries (account_id, period_id, day, kind, turn_id, hold_id, rate_id, prompt_tokens, cached_tokens, completion_tokens,
      reverses_id, idempotency_key, reason, tokens, purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta, estimated, over_hold, ceiling_moved)
    values (${account.accountId}, ${account.periodId}, ${account.today}, ${entry.kind}, ${entry.turnId ?? null}, ${entry.holdId ?? null}, ${rateId},
      ${usage?.promptTokens ?? null}, ${usage?.cachedTokens ?? null}, ${usage?.completionTokens ?? null}, ${entry.reversesId ?? null},
      ${entry.key ?? null}, ${entry.reason ?? null}, ${entry.tokens}, ${delta.purchased}, ${delta.debt}, ${delta.spentPurchased},
      ${delta.spentAllowance}, ${delta.overage}, ${delta.used}, ${entry.estimated ?? false}, ${entry.overHold ?? false}, ${entry.ceilingMoved ?? false})
    returning id::float8 as id`;
}
