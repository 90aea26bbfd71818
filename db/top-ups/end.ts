import { sql } from 'kysely';
import {
  decideAfterTopUp,
  isCardsFault,
  type Decline,
  type TopUpOutcome,
  type TopUpPause,
} from '../../domain/payments/top-up.ts';
import type { Instant } from '../../domain/period.ts';
import type { Outward } from '../channels/outbox.ts';
import { first, type Database, type Sql } from '../database.ts';
import { lockAccount } from '../money/accounts.ts';
import { judgeCard } from './cards.ts';
import { findTopUpSettings } from './settings.ts';
import { pauseTopUp, tellDecline } from './tell.ts';

export interface TopUpEnd {
  readonly pause: TopUpPause | null;
  /** When the next attempt may be; null: no more by itself. */
  readonly nextTryAt: Instant | null;
  readonly now: Instant;
  /** To be started after the commit. */
  readonly deliveryIds: readonly string[];
}

/**
 * Ends an attempt and decides what follows: its claim is kept, given up, or everything pauses. A second end, from
 * whatever path, changes nothing. What the person has chosen meanwhile stands.
 */
export async function endTopUp(
  database: Database,
  {
    accountId,
    purchaseId,
    outcome,
    decline,
    outward,
  }: { accountId: number; purchaseId: string; outcome: TopUpOutcome; decline: Decline | null; outward: Outward },
): Promise<TopUpEnd> {
  return database.locking({ accountId, isPatient: true }, async (tx) => {
    const account = await lockAccount(tx, accountId);
    const { now } = account;
    const nothing = { pause: null, nextTryAt: null, now, deliveryIds: [] };
    const ended = await first(
      sql<{
        methodId: string;
      }>`update top_ups set outcome = ${outcome}, decline = ${decline}, ended_at = ${new Date(now)}
        where purchase_id = ${purchaseId} and outcome is null returning method_id as "methodId"`,
      tx,
    );
    const settings = await findTopUpSettings(tx, accountId);
    if (ended === null || settings === null) return nothing;
    if (outcome === 'paid') await judgeCard(tx, ended.methodId, false);
    if (settings.methodId !== ended.methodId || settings.state === 'paused') return nothing;
    const after = decideAfterTopUp({ outcome, decline }, { declines: settings.declines, now });
    const { declines, claimedUntil, pause } = after;
    await sql`update auto_top_ups set declines = ${declines}, claimed_until = ${claimedUntil === null ? null : new Date(claimedUntil)}
      where account_id = ${accountId}`.execute(tx);
    // Whoever has switched it off meanwhile need not hear that it pauses; the card is refused nevertheless.
    if (pause !== null && isCardsFault(pause)) await judgeCard(tx, ended.methodId, true);
    if (settings.state === 'off') return nothing;
    const telling = { account, settings, shop: { outward } };
    if (pause !== null) return { ...nothing, pause, deliveryIds: await pauseTopUp(tx, { ...telling, why: pause }) };
    if (outcome !== 'declined' || declines !== 1 || claimedUntil === null)
      return { ...nothing, nextTryAt: claimedUntil };
    const told = { ...telling, purchaseId, decline: decline ?? 'declined', nextTryAt: claimedUntil };
    return { ...nothing, nextTryAt: claimedUntil, deliveryIds: await tellDecline(tx, told) };
  });
}

/**
 * Accounts whose tokens are below what they have chosen and of which nobody keeps a claim, and payments that nobody has
 * ended for `quietMs`: their start was lost, or Temporal's data.
 */
export async function findLostTopUps(
  on: Sql,
  { quietMs, limit }: { quietMs: number; limit: number },
): Promise<{ accountId: number; userId: number }[]> {
  const { rows } = await sql<{ accountId: number; userId: number }>`
    select a.id::float8 as "accountId", a.user_id::float8 as "userId" from (
      select s.account_id from auto_top_ups s join accounts o on o.id = s.account_id
        join lateral (select * from periods where account_id = o.id order by ends_at desc limit 1) p on true
      where s.state = 'on' and (s.claimed_until is null or s.claimed_until <= ${on.clock()}) and p.ends_at > ${on.clock()}
        and p.allowance_tokens - p.spent_allowance_tokens + o.purchased_tokens - p.overage_tokens < s.below_tokens
      union select account_id from top_ups where outcome is null and made_at < ${on.clock()} - ${quietMs}::float8 * interval '1 millisecond'
    ) lost join accounts a on a.id = lost.account_id order by a.id limit ${limit}`.execute(on);
  return rows;
}
