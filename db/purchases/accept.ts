import { sql } from 'kysely';
import type { AuditActor } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import { isAcceptable } from '../../domain/payments/purchase.ts';
import { writeAudit } from '../audit.ts';
import type { Database } from '../database.ts';
import { lockAccount } from '../money/accounts.ts';
import { lastSnapshot, settle, type Converged } from './converge.ts';
import { getPurchase, lockPurchase } from './purchases.ts';

/**
 * Takes what was paid for the price of a purchase whose payment has another amount, and books its tokens.
 * @throws AppError not_found, not_acceptable.
 */
export async function acceptMismatch(
  database: Database,
  { purchaseId, actor, reason }: { purchaseId: string; actor: AuditActor; reason: string },
): Promise<Converged> {
  const { accountId } = await getPurchase(database.sql, purchaseId);
  return database.locking({ accountId }, async (tx) => {
    const account = await lockAccount(tx, accountId);
    const purchase = await lockPurchase(tx, purchaseId);
    const { payment } = (await lastSnapshot(tx, purchaseId)) ?? {};
    if (payment === undefined || purchase.state !== 'mismatch' || !isAcceptable(purchase, payment))
      throw new AppError('not_acceptable');
    const { paid } = payment;
    await sql`update purchases set accepted_amount = ${paid} where id = ${purchaseId}`.execute(tx);
    const accepted = await getPurchase(tx, purchaseId);
    const settled = await settle(tx, { account, purchase: accepted, payment, source: 'admin' });
    await writeAudit(tx, {
      actor,
      action: 'purchase.accept',
      target: `purchase:${purchaseId}`,
      reason,
      before: { state: purchase.state, amount: purchase.amount },
      after: { state: settled.purchase.state, amount: paid, currency: purchase.currency, tokens: settled.booked },
    });
    return settled;
  });
}
