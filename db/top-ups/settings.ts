import { sql, type RawBuilder } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import type { Currency } from '../../domain/payments/money.ts';
import type { TopUpWay } from '../../domain/payments/top-up.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, one, type Database, type Sql, type Tx } from '../database.ts';
import { AutoTopUp } from '../entities/payments/top-up.ts';
import { lockAccountRow } from '../money/accounts.ts';
import type { PublishedPack } from '../purchases/packs.ts';
import { findOwnCard } from './cards.ts';

const columns = columnsOf(AutoTopUp, 's', {
  accountId: 'accountId',
  state: 'state',
  way: 'way',
  belowTokens: 'belowTokens',
  currency: 'currency',
  monthlyLimit: 'monthlyLimit',
  methodId: 'methodId',
  claimedUntil: 'claimedUntil',
  declines: 'declines',
  pause: 'pause',
  pausedAt: 'pausedAt',
});
const packColumns = sql<
  Omit<PublishedPack, 'name'>
>`s.pack_id as "packId", s.pack_version as version, k.tokens::float8 as tokens,
  k.bonus_tokens::float8 as "bonusTokens", k.currency, k.amount`;

/** What a person has chosen, with the pack as it was then. Instants in milliseconds. */
export type TopUpSettings = RowOf<typeof columns> & Omit<PublishedPack, 'name'>;

/** Null when nothing was ever chosen. */
export function findTopUpSettings(on: Sql, accountId: number): Promise<TopUpSettings | null> {
  return first(
    sql<TopUpSettings>`select ${columns}, ${packColumns} from auto_top_ups s join packs k on (k.id, k.version) = (s.pack_id, s.pack_version)
      where s.account_id = ${accountId}`,
    on,
  );
}

/** What automatic purchases of this month cost, those under way included, in the smallest unit of what is chosen. */
export async function readTopUpSpent(
  on: Sql,
  { accountId, currency }: Pick<TopUpSettings, 'accountId' | 'currency'>,
): Promise<number> {
  const { spent } = await one(sql<{ spent: number }>`select ${selectTopUpSpent({ accountId, currency })} as spent`, on);
  return spent;
}

/** @param of.exceptId a purchase that is judged itself. */
export function selectTopUpSpent({
  accountId,
  currency,
  exceptId = null,
}: {
  accountId: number;
  currency: Currency;
  exceptId?: string | null;
}): RawBuilder<number> {
  return sql`(select coalesce(sum(p.amount), 0)::float8 from top_ups t join purchases p on p.id = t.purchase_id
    where ${isCounted(accountId, exceptId)} and p.currency = ${currency}
      and t.made_at >= (select starts_at from periods where account_id = ${accountId} order by ends_at desc limit 1))`;
}

/** Those that were paid, or may be yet. */
export function isCounted(accountId: number, exceptId: string | null): RawBuilder<boolean> {
  return sql`(t.account_id = ${accountId} and (t.outcome is null or t.outcome in ('paid', 'mismatch')) and t.purchase_id is distinct from ${exceptId}::uuid)`;
}

export interface WantedTopUp {
  readonly pack: PublishedPack;
  readonly way: TopUpWay;
  readonly belowTokens: number;
  /** Of `charge`. */
  readonly monthlyLimit: number | null;
  readonly methodId: string | null;
}

/**
 * Chooses, or switches off. What a bank has refused is not asked again by switching off and on: the claim and the count
 * of declines belong to the card.
 * @param wanted null: off.
 * @throws AppError invalid_request (`paymentMethodId`), card_declined.
 */
export async function setTopUp(
  database: Database,
  { accountId, livemode, wanted }: { accountId: number; livemode: boolean; wanted: WantedTopUp | null },
): Promise<void> {
  await database.locking({ accountId }, async (tx) => {
    await lockAccountRow(tx, accountId);
    if (wanted === null) {
      await sql`update auto_top_ups set state = 'off', pause = null, changed_at = ${tx.clock()} where account_id = ${accountId}`.execute(
        tx,
      );
      return;
    }
    const { pack, way, belowTokens, monthlyLimit, methodId } = wanted;
    if (methodId !== null) await assertCharges(tx, { accountId, livemode, methodId });
    const known = await findTopUpSettings(tx, accountId);
    const isSameCard = known !== null && known.methodId === methodId && known.declines > 0 && known.pause === null;
    const declines = isSameCard ? known.declines : 0;
    const claimedUntil = isSameCard && known.claimedUntil !== null ? new Date(known.claimedUntil) : null;
    await sql`insert into auto_top_ups (account_id, state, way, pack_id, pack_version, below_tokens, currency, monthly_limit, method_id, changed_at)
      values (${accountId}, 'on', ${way}, ${pack.packId}, ${pack.version}, ${belowTokens}, ${pack.currency}, ${monthlyLimit}, ${methodId}, ${tx.clock()})
      on conflict (account_id) do update set state = 'on', way = excluded.way, pack_id = excluded.pack_id, pack_version = excluded.pack_version,
        below_tokens = excluded.below_tokens, currency = excluded.currency, monthly_limit = excluded.monthly_limit, method_id = excluded.method_id,
        changed_at = excluded.changed_at, pause = null, declines = ${declines}, claimed_until = ${claimedUntil}`.execute(
      tx,
    );
  });
}

/** A card that was refused for good is good again once something was bought: by it, or in any other way. */
async function assertCharges(
  tx: Tx,
  { accountId, livemode, methodId }: { accountId: number; livemode: boolean; methodId: string },
): Promise<void> {
  const card = await findOwnCard(tx, accountId, methodId);
  if (card === null || card.livemode !== livemode)
    throw new AppError('invalid_request', { field: 'paymentMethodId', reason: 'no such card is kept' });
  if (card.refusedAt === null) return;
  const paid = await first(
    sql`select 1 from purchases where account_id = ${accountId} and provider = ${card.provider} and livemode = ${livemode}
      and paid_at > ${new Date(card.refusedAt)}`,
    tx,
  );
  if (paid === null) throw new AppError('card_declined');
}

/** Whoever gives tokens back does not want them bought again. The caller holds the account's lock. */
export async function pauseAfterRefund(tx: Tx, accountId: number): Promise<void> {
  await sql`update auto_top_ups set state = 'paused', pause = 'refunded', paused_at = ${tx.clock()}, changed_at = ${tx.clock()}
    where account_id = ${accountId} and state = 'on' and way = 'charge'`.execute(tx);
}
