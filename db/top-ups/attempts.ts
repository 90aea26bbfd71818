import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { decideTopUp, remindedUntil, type TopUpFacts, type TopUpRest } from '../../domain/payments/top-up.ts';
import type { Instant } from '../../domain/period.ts';
import { totalAvailable } from '../../domain/policy.ts';
import type { Outward } from '../channels/outbox.ts';
import { first, one, type Database, type Tx } from '../database.ts';
import { lockAccount } from '../money/accounts.ts';
import type { LockedAccount } from '../money/locked-account.ts';
import { insertPurchase } from '../purchases/insert.ts';
import type { PublishedPack } from '../purchases/packs.ts';
import { findOwnCard } from './cards.ts';
import { findTopUpSettings, isCounted, selectTopUpSpent, type TopUpSettings } from './settings.ts';
import { pauseTopUp, tellReminder } from './tell.ts';

/** A payment that is under way, of which nobody knows the end yet. */
export interface OpenTopUp {
  readonly purchaseId: string;
  readonly methodId: string;
  readonly customer: string;
  readonly madeAt: Instant;
}

export type TopUpClaim =
  | {
      readonly kind: 'open';
      readonly topUp: OpenTopUp;
      /** Whether it was made now, so that the provider cannot know it. */
      readonly isNew: boolean;
      /** Whether it would be made now. */
      readonly isWanted: boolean;
      readonly now: Instant;
    }
  | {
      readonly kind: 'rest';
      readonly why: TopUpRest | 'paused' | 'reminded';
      readonly until: Instant | null;
      /** To be started after the commit. */
      readonly deliveryIds: readonly string[];
      readonly now: Instant;
    };

export interface TopUpShop {
  /** The pack as it is sold now by who keeps cards; null when it is not. */
  readonly findPack: (packId: string) => PublishedPack | null;
  readonly livemode: boolean;
  /** For how long the provider may be asked for a payment that was made. */
  readonly expiresAfterMs: number;
  readonly outward: Outward;
}

/**
 * Decides under the account's lock whether tokens are bought now, and makes the purchase if so: it is the claim, and an
 * account has one at most. One that is under way is found instead.
 */
export async function claimTopUp(database: Database, accountId: number, shop: TopUpShop): Promise<TopUpClaim> {
  return database.locking({ accountId }, async (tx) => {
    const account = await lockAccount(tx, accountId);
    const { now } = account;
    const rest = (why: TopUpRest | 'paused' | 'reminded', until: Instant | null, deliveryIds: readonly string[] = []) =>
      ({ kind: 'rest', why, until, deliveryIds, now }) as const;
    const settings = await findTopUpSettings(tx, accountId);
    if (settings === null) return rest('off', null);
    const open = await findOpen(tx, accountId);
    const facts = await readFacts(tx, { account, settings, shop, open });
    const step = decideTopUp(facts);
    if (open !== null) return { kind: 'open', topUp: open, isNew: false, isWanted: step.do === 'charge', now };
    if (step.do === 'nothing') {
      // What is off, or has enough, says nothing about a card that was declined: its claim stays.
      if (step.until !== null) await keepClaim(tx, accountId, step.until);
      return rest(step.why, step.until);
    }
    if (step.do === 'pause')
      return rest('paused', null, await pauseTopUp(tx, { account, settings, shop, why: step.why }));
    if (step.do === 'remind') {
      await keepClaim(tx, accountId, remindedUntil(now));
      return rest('reminded', null, await tellReminder(tx, { account, settings, shop }));
    }
    const customer = settings.methodId === null ? null : await findCustomer(tx, { accountId, settings, shop });
    if (settings.methodId === null || customer === null)
      return rest('paused', null, await pauseTopUp(tx, { account, settings, shop, why: 'card_gone' }));
    const topUp = { purchaseId: uuidv7(), methodId: settings.methodId, customer, madeAt: now };
    await insert(tx, { account, settings, shop, topUp });
    return { kind: 'open', topUp, isNew: true, isWanted: true, now };
  });
}

async function findOpen(tx: Tx, accountId: number): Promise<OpenTopUp | null> {
  return first(
    sql<OpenTopUp>`select purchase_id as "purchaseId", method_id as "methodId", customer, floor(extract(epoch from made_at) * 1000)::float8 as "madeAt"
      from top_ups where account_id = ${accountId} and outcome is null`,
    tx,
  );
}

async function readFacts(
  tx: Tx,
  {
    account,
    settings,
    shop,
    open,
  }: { account: LockedAccount; settings: TopUpSettings; shop: TopUpShop; open: OpenTopUp | null },
): Promise<TopUpFacts> {
  const { accountId, period, balance, now } = account;
  const { currency } = settings;
  const exceptId = open?.purchaseId ?? null;
  const made = await one(
    sql<{ spent: number; today: number[]; isDisputed: boolean; isSuspended: boolean }>`select
      ${selectTopUpSpent({ accountId, currency, exceptId })} as spent,
      array(select floor(extract(epoch from t.made_at) * 1000)::float8 from top_ups t
        where ${isCounted(accountId, exceptId)} and t.made_at > ${new Date(now)}::timestamptz - interval '1 day' order by t.made_at) as today,
      exists (select 1 from purchases where account_id = ${accountId} and state = 'disputed') as "isDisputed",
      (select suspended_at is not null from accounts where id = ${accountId}) as "isSuspended"`,
    tx,
  );
  const sold = shop.findPack(settings.packId);
  return {
    state: settings.state,
    way: settings.way,
    belowTokens: settings.belowTokens,
    remainingTokens: Math.max(0, totalAvailable(balance) - balance.used),
    debtTokens: balance.debt,
    isSuspended: made.isSuspended,
    isDisputed: made.isDisputed,
    isSold: sold !== null && isSame(sold, settings),
    amount: settings.amount,
    monthlyLimit: settings.monthlyLimit ?? 0,
    spentThisMonth: made.spent,
    monthEndsAt: period.endsAt,
    madeToday: made.today,
    claimedUntil: open === null ? settings.claimedUntil : null,
    now,
  };
}

/** A new name is the same pack. */
function isSame(sold: PublishedPack, chosen: Omit<PublishedPack, 'name'>): boolean {
  return (
    sold.amount === chosen.amount &&
    sold.currency === chosen.currency &&
    sold.tokens === chosen.tokens &&
    sold.bonusTokens === chosen.bonusTokens
  );
}

async function keepClaim(tx: Tx, accountId: number, until: Instant): Promise<void> {
  await sql`update auto_top_ups set claimed_until = ${new Date(until)} where account_id = ${accountId}`.execute(tx);
}

async function findCustomer(
  tx: Tx,
  { accountId, settings, shop }: { accountId: number; settings: TopUpSettings; shop: TopUpShop },
): Promise<string | null> {
  const card = await findOwnCard(tx, accountId, settings.methodId ?? '');
  if (card === null || card.livemode !== shop.livemode) return null;
  const found = await first(
    sql<{ ref: string | null }>`select provider_ref as ref from payment_customers
      where account_id = ${accountId} and provider = ${card.provider} and livemode = ${card.livemode}`,
    tx,
  );
  return found?.ref ?? null;
}

async function insert(
  tx: Tx,
  {
    account,
    settings,
    shop,
    topUp,
  }: { account: LockedAccount; settings: TopUpSettings; shop: TopUpShop; topUp: OpenTopUp },
): Promise<void> {
  const { accountId, userId, now } = account;
  const { purchaseId, methodId, customer } = topUp;
  await insertPurchase(tx, {
    purchaseId,
    accountId,
    userId,
    pack: settings,
    provider: 'stripe',
    method: 'card',
    livemode: shop.livemode,
    key: `auto-top-up/${purchaseId}`,
    expiresAt: now + shop.expiresAfterMs,
  });
  await sql`insert into top_ups (purchase_id, account_id, method_id, customer, made_at)
    values (${purchaseId}, ${accountId}, ${methodId}, ${customer}, ${new Date(now)})`.execute(tx);
  await keepClaim(tx, accountId, now + shop.expiresAfterMs);
}
