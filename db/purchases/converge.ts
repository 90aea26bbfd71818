import { sql } from 'kysely';
import {
  decidePurchase,
  type AskedRefund,
  type Decision,
  type Look,
  type LookSource,
  type Payment,
  type PurchaseState,
} from '../../domain/payments/purchase.ts';
import type { Vault } from '../../domain/payments/vault.ts';
import type { Outward } from '../channels/outbox.ts';
import { first, type Database, type Sql, type Tx } from '../database.ts';
import { lockAccount } from '../money/accounts.ts';
import type { LockedAccount } from '../money/locked-account.ts';
import { bookDifference } from './bookings.ts';
import { boughtOf, getPurchase, lockPurchase, namePayment, type PurchaseRow } from './purchases.ts';
import { changeSecrets } from './secrets.ts';
import { tellOfPurchase } from './tell.ts';

export interface Converged {
  readonly purchase: PurchaseRow;
  /** Tokens that were given now; negative when they were taken. */
  readonly booked: number;
  /** Whether anything was seen that was not known. */
  readonly changed: boolean;
}

/**
 * Makes the books say what the provider says, and nothing else: it books the difference between what the purchase has
 * given and what it should have given. Two looks at once, an old one after a new one, or the same one a hundred times
 * end at the same books, because each compares under the locks of the account and of the purchase.
 */
export async function convergePurchase(
  database: Database,
  {
    purchaseId,
    look,
    source,
    vault,
    outward = { email: false, webhook: false },
  }: { purchaseId: string; look: Look; source: LookSource; vault: Vault; outward?: Outward },
): Promise<Converged & { readonly deliveryIds: readonly string[] }> {
  const { accountId } = await getPurchase(database.sql, purchaseId);
  // What a provider has said is booked, however long it takes.
  return database.locking({ accountId, isPatient: true }, async (tx) => {
    const account = await lockAccount(tx, accountId);
    const purchase = await lockPurchase(tx, purchaseId);
    await endRefundsSeen(tx, purchaseId, look.payment);
    await noteDetails(tx, purchaseId, look);
    const { deposit, hookSecret } = look;
    const isRefunding = (await askedRefunds(tx, purchaseId)).length > 0;
    await changeSecrets(tx, vault, purchaseId, (known) => ({
      deposit,
      hookSecret: hookSecret ?? known.hookSecret,
      refundTo: isRefunding ? known.refundTo : null,
    }));
    const before = (await lastSnapshot(tx, purchaseId))?.payment ?? null;
    const settled = await settle(tx, { account, purchase, payment: look.payment, source });
    if (!settled.changed) return { ...settled, deliveryIds: [] };
    const change = { account, was: purchase, is: settled.purchase, before, payment: look.payment, outward };
    return { ...settled, deliveryIds: await tellOfPurchase(tx, change) };
  });
}

/** Books what follows from a payment that was seen. The caller holds the locks of the account and the purchase. */
export async function settle(
  tx: Tx,
  {
    account,
    purchase,
    payment,
    source,
  }: { account: LockedAccount; purchase: PurchaseRow; payment: Payment; source: LookSource },
): Promise<Converged> {
  const { purchaseId } = purchase;
  const decision = decidePurchase(boughtOf(purchase), payment, await askedRefunds(tx, purchaseId));
  const last = await lastSnapshot(tx, purchaseId);
  const seq = (last?.seq ?? 0) + 1;
  const booked =
    decision.tokens === null
      ? 0
      : (
          await bookDifference(tx, account, {
            purchaseId,
            seq,
            wanted: decision.tokens,
            reason: reasonOf(purchaseId, decision),
          })
        ).booked;
  const changed = booked !== 0 || last === null || !isSame(last.payment, payment) || last.state !== decision.state;
  if (changed) await addSnapshot(tx, { purchaseId, seq, payment, decision, source });
  await sql`update purchases set state = ${decision.state}, failure = ${payment.failure}, looked_at = clock_timestamp(),
      paid_at = coalesce(paid_at, case when ${decision.paid > 0 && decision.state !== 'mismatch'} then ${tx.clock()} end)
    where id = ${purchaseId}`.execute(tx);
  return { purchase: await getPurchase(tx, purchaseId), booked, changed };
}

interface Snapshot {
  readonly seq: number;
  readonly payment: Payment;
  readonly state: PurchaseState;
}

/** The newest look that saw something; null before the first. */
export function lastSnapshot(on: Sql, purchaseId: string): Promise<Snapshot | null> {
  return first(
    sql<Snapshot>`select seq, payment, state from payment_snapshots where purchase_id = ${purchaseId} order by seq desc limit 1`,
    on,
  );
}

async function addSnapshot(
  tx: Tx,
  {
    purchaseId,
    seq,
    payment,
    decision: { state, paid, refunded, withdrawn },
    source,
  }: { purchaseId: string; seq: number; payment: Payment; decision: Decision; source: LookSource },
): Promise<void> {
  await sql`insert into payment_snapshots (purchase_id, seq, payment, state, paid, refunded, withdrawn, source, seen_at)
    values (${purchaseId}, ${seq}, ${JSON.stringify(payment)}::jsonb, ${state}, ${paid}, ${refunded}, ${withdrawn}, ${source}, clock_timestamp())`.execute(
    tx,
  );
}

async function askedRefunds(tx: Tx, purchaseId: string): Promise<AskedRefund[]> {
  const { rows } = await sql<AskedRefund>`
    select id as "refundId", amount from refunds where purchase_id = ${purchaseId} and state = 'requested'`.execute(tx);
  return rows;
}

/**
 * A refund that the provider has decided is over. One that is still on its way to the buyer is not, and one that the
 * buyer's bank has sent back has failed after all.
 */
async function endRefundsSeen(tx: Tx, purchaseId: string, { refunds }: Payment): Promise<void> {
  for (const { refundId, state } of refunds) {
    if (refundId === null || state === 'pending') continue;
    await sql`update refunds set state = ${state}, ended_at = clock_timestamp(), failure = ${state === 'failed' ? 'refused' : null}
      where id::text = ${refundId} and purchase_id = ${purchaseId} and (state = 'requested' or (state = 'succeeded' and ${state} = 'failed'))`.execute(
      tx,
    );
  }
}

/** A payment that another purchase has already is not this one's, whatever the provider says. */
async function noteDetails(
  tx: Tx,
  purchaseId: string,
  { paymentId, method, dueAt, receiptUrl, cashReceiptUrl = null }: Look,
): Promise<void> {
  if (paymentId !== null) await namePayment(tx, purchaseId, paymentId);
  await sql`update purchases set method = coalesce(${method}, method),
      due_at = coalesce(${dueAt === null ? null : new Date(dueAt)}, due_at), receipt_url = coalesce(${receiptUrl}, receipt_url),
      cash_receipt_url = coalesce(${cashReceiptUrl}, cash_receipt_url)
    where id = ${purchaseId}`.execute(tx);
}

/** What stands in the ledger, for admins. */
function reasonOf(purchaseId: string, { state }: Decision): string {
  return `purchase ${purchaseId}: ${state}`;
}

/** Compares what was stored as JSON with what would be. */
function isSame(a: Payment, b: Payment): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
