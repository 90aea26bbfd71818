import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { AuditActor } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import {
  NOTHING,
  ownRefundUntil,
  refundFor,
  unspentOf,
  type Refundable,
  type RefundAccount,
  type RefundFailure,
} from '../../domain/payments/refund.ts';
import type { Vault } from '../../domain/payments/vault.ts';
import { writeAudit } from '../audit.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, type Database, type Sql, type Tx } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { Refund } from '../entities/payments/refund.ts';
import { lockAccount } from '../money/accounts.ts';
import type { LockedAccount } from '../money/locked-account.ts';
import { givenLater, grantsOf } from './bookings.ts';
import { lastSnapshot, settle } from './converge.ts';
import { pauseAfterRefund } from '../top-ups/settings.ts';
import { boughtOf, getPurchase, lockPurchase, type PurchaseRow } from './purchases.ts';
import { changeSecrets } from './secrets.ts';

const columns = columnsOf(Refund, 'r', {
  refundId: 'id',
  purchaseId: 'purchaseId',
  amount: 'amount',
  state: 'state',
  failure: 'failure',
  reason: 'reason',
  requestedBy: 'requestedById',
  createdAt: 'createdAt',
  endedAt: 'endedAt',
});

export type RefundRow = RowOf<typeof columns>;

export interface WantedRefund {
  readonly purchaseId: string;
  /** Who asks: the buyer, for tokens that are unspent; or an admin, for an amount of money. */
  readonly by:
    | { readonly userId: number; /** null: all that can be had */ readonly tokens: number | null }
    | { readonly actor: AuditActor; /** null: all that is left */ readonly amount: number | null };
  readonly reason: string;
  readonly key: string;
  /** Where a deposit is paid back to; null for what goes back the way it came. */
  readonly account?: RefundAccount | null;
}

/**
 * Takes the tokens of a refund and notes that its money is asked back. What the provider says afterwards decides
 * whether they come back.
 * @throws AppError not_found, not_refundable, payment_pending (another refund of it is under way),
 *   idempotency_conflict. OutcomeUnknown with `refundId`.
 */
export async function requestRefund(
  database: Database,
  vault: Vault,
  wanted: WantedRefund,
): Promise<{ refund: RefundRow; purchase: PurchaseRow }> {
  const refundId = uuidv7();
  const { accountId, userId } = await getPurchase(database.sql, wanted.purchaseId);
  if ('userId' in wanted.by && wanted.by.userId !== userId) throw new AppError('not_found');
  return naming({ refundId }, () =>
    database.locking({ accountId }, async (tx) => {
      const account = await lockAccount(tx, accountId);
      const purchase = await lockPurchase(tx, wanted.purchaseId);
      const known = await first(
        sql<RefundRow>`select ${columns} from refunds r where purchase_id = ${wanted.purchaseId} and idempotency_key = ${wanted.key}`,
        tx,
      );
      if (known !== null) {
        assertSame(known, wanted);
        return { refund: known, purchase };
      }
      const amount = await amountOf(tx, { account, purchase, wanted });
      await sql`insert into refunds (id, purchase_id, amount, reason, requested_by_id, idempotency_key)
        values (${refundId}, ${wanted.purchaseId}, ${amount}, ${wanted.reason}, ${'userId' in wanted.by ? wanted.by.userId : wanted.by.actor.adminId}, ${wanted.key})`.execute(
        tx,
      );
      await changeSecrets(tx, vault, wanted.purchaseId, (secrets) => ({
        ...secrets,
        refundTo: wanted.account ?? null,
      }));
      const { booked, purchase: after } = await settleAgain(tx, account, purchase);
      if ('userId' in wanted.by) await pauseAfterRefund(tx, accountId);
      if ('actor' in wanted.by)
        await writeAudit(tx, {
          actor: wanted.by.actor,
          action: 'purchase.refund',
          target: `purchase:${wanted.purchaseId}`,
          reason: wanted.reason,
          after: { refundId, amount, currency: purchase.currency, tokens: 0 - booked },
        });
      return { refund: await getRefund(tx, refundId), purchase: after };
    }),
  );
}

/** The provider refused for good, so the tokens come back. */
export async function failRefund(
  database: Database,
  vault: Vault,
  { refundId, failure }: { refundId: string; failure: RefundFailure },
): Promise<PurchaseRow> {
  const { purchaseId } = await getRefund(database.sql, refundId);
  const { accountId } = await getPurchase(database.sql, purchaseId);
  return database.locking({ accountId, isPatient: true }, async (tx) => {
    const account = await lockAccount(tx, accountId);
    const purchase = await lockPurchase(tx, purchaseId);
    await sql`update refunds set state = 'failed', failure = ${failure}, ended_at = clock_timestamp()
      where id = ${refundId} and state = 'requested'`.execute(tx);
    await changeSecrets(tx, vault, purchaseId, (secrets) => ({ ...secrets, refundTo: null }));
    return (await settleAgain(tx, account, purchase)).purchase;
  });
}

/**
 * What the buyer may have back of a purchase. Nothing while a refund or a dispute of it is under way.
 * @param now PostgreSQL's, of the snapshot that told the balance.
 */
export async function refundableOf(
  on: Sql,
  { purchase, balance, now }: { purchase: PurchaseRow; balance: number; now: number },
): Promise<Refundable> {
  const { state, paidAt, purchaseId, accountId } = purchase;
  if (paidAt === null || now >= ownRefundUntil(paidAt) || (state !== 'paid' && state !== 'partially_refunded'))
    return NOTHING;
  if (await isRefunding(on, purchaseId)) return NOTHING;
  const given = (await grantsOf(on, purchaseId)).reduce((sum, { left }) => sum + left, 0);
  const later = await givenLater(on, { accountId, purchaseId });
  return refundFor(boughtOf(purchase), {
    unspent: unspentOf({ balance, later, given }),
    kept: await keptOf(on, purchaseId),
  });
}

export async function listRefunds(on: Sql, purchaseId: string): Promise<RefundRow[]> {
  const { rows } =
    await sql<RefundRow>`select ${columns} from refunds r where purchase_id = ${purchaseId} order by created_at, id`.execute(
      on,
    );
  return rows;
}

/** Refunds that were asked for at least so long ago and are not decided, with whose they are. */
export async function findUndecided(
  on: Sql,
  { quietMs, limit }: { quietMs: number; limit: number },
): Promise<{ refundId: string; purchaseId: string; userId: number }[]> {
  const { rows } = await sql<{ refundId: string; purchaseId: string; userId: number }>`
    select ${columnsOf(Refund, 'r', { refundId: 'id', purchaseId: 'purchaseId' })}, p.user_id::float8 as "userId"
    from refunds r join purchases p on p.id = r.purchase_id
    where r.state = 'requested' and r.created_at < now() - ${quietMs} * interval '1 millisecond' order by r.created_at limit ${limit}`.execute(
    on,
  );
  return rows;
}

/** @throws AppError not_found */
export async function getRefund(on: Sql, refundId: string): Promise<RefundRow> {
  const found = await findRefund(on, refundId);
  if (found === null) throw new AppError('not_found');
  return found;
}

/** Null when there is none. */
export function findRefund(on: Sql, refundId: string): Promise<RefundRow | null> {
  return first(sql<RefundRow>`select ${columns} from refunds r where id = ${refundId}`, on);
}

/** A key that another person has used, or for another amount, is no repetition. */
function assertSame(known: RefundRow, { by }: WantedRefund): void {
  const isOwn = known.requestedBy === ('actor' in by ? by.actor.adminId : by.userId);
  if (!isOwn || ('actor' in by && by.amount !== null && by.amount !== known.amount))
    throw new AppError('idempotency_conflict');
}

async function amountOf(
  tx: Tx,
  { account, purchase, wanted }: { account: LockedAccount; purchase: PurchaseRow; wanted: WantedRefund },
): Promise<number> {
  if (await isRefunding(tx, purchase.purchaseId)) throw new AppError('payment_pending');
  const kept = await keptOf(tx, purchase.purchaseId);
  if ('actor' in wanted.by) {
    const amount = wanted.by.amount ?? kept;
    if (amount < 1 || amount > kept) throw new AppError('not_refundable', { refundable: { amount: kept } });
    return amount;
  }
  const most = await refundableOf(tx, { purchase, balance: account.balance.purchased, now: account.now });
  if (most.amount === 0) throw new AppError('not_refundable', { refundable: most });
  const { tokens } = wanted.by;
  // All of it is what was shown, whatever rounding would make of its tokens.
  if (tokens === null || tokens === most.tokens) return most.amount;
  const part = refundFor(boughtOf(purchase), { unspent: tokens, kept });
  if (tokens > most.tokens || part.amount === 0) throw new AppError('not_refundable', { refundable: most });
  return part.amount;
}

/** What of the price is with us by the last look, in the smallest unit. */
async function keptOf(on: Sql, purchaseId: string): Promise<number> {
  const kept = await first(
    sql<{
      kept: number;
    }>`select paid - refunded - withdrawn as kept from payment_snapshots where purchase_id = ${purchaseId} order by seq desc limit 1`,
    on,
  );
  return Math.max(0, kept?.kept ?? 0);
}

async function isRefunding(on: Sql, purchaseId: string): Promise<boolean> {
  return (
    (await first(sql`select 1 from refunds where purchase_id = ${purchaseId} and state = 'requested'`, on)) !== null
  );
}

/** Books anew from what was seen last, because what we ask of the provider has changed. */
async function settleAgain(tx: Tx, account: LockedAccount, purchase: PurchaseRow) {
  const last = await lastSnapshot(tx, purchase.purchaseId);
  if (last === null) throw new AppError('not_refundable', { refundable: NOTHING });
  return settle(tx, { account, purchase, payment: last.payment, source: 'refund' });
}
