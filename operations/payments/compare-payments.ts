import { COMPARED_HOURS, judgeListed, type Comparison, type Listed } from '../../domain/payments/listed.ts';
import { noteCheck } from '../../db/purchases/checks.ts';
import { lastSnapshot } from '../../db/purchases/converge.ts';
import { findPaidBetween, nameSession, type PurchaseRow } from '../../db/purchases/purchases.ts';
import { keepUnmatched } from '../../db/purchases/unmatched.ts';
import type { Logger } from '../../platform/telemetry/log.ts';
import { ProviderUnavailable, type PaymentProvider } from '../../platform/payments/provider.ts';
import { lookAtPurchase, type LookDeps } from '../look-at-purchase.ts';
import { atProvider } from '../payments.ts';
import { findNamed } from './find-named.ts';

const HOUR_MS = 3_600_000;
/** The provider's clock and list, and our look, are not of the same moment. */
const EDGE_MS = 10 * 60_000;

/** What one comparison with one provider's own lists found. */
export interface Compared {
  readonly listed: number;
  /** Purchases whose books said something else and say it no more. */
  readonly converged: number;
  /** Of them, those whose payment is not the one that was asked for. */
  readonly mismatches: number;
  /** Payments that are no purchase's and were not known. */
  readonly unmatched: number;
  /**
   * Purchases of which the provider knows nothing, or not that they are paid. Nothing is taken back: a person must
   * look.
   */
  readonly missing: number;
}

/**
 * Compares a provider's own lists with the books, so that nothing depends on a webhook or on a buyer who comes back.
 * What differs is looked at as after any hint; money that is no purchase's is kept for an admin.
 * @param onStep is called often; it throws to give up.
 * @throws ProviderUnavailable: then nothing says that the books are right.
 */
export async function comparePayments(
  deps: LookDeps & { readonly log: Pick<Logger, 'warn' | 'error'> },
  { provider, comparison, onStep }: { provider: PaymentProvider; comparison: Comparison; onStep: () => void },
): Promise<Compared> {
  const { database, log } = deps;
  const to = Date.now();
  const from = to - COMPARED_HOURS[comparison] * HOUR_MS;
  const listed = await provider.list({ from, to });
  const toLook = new Set<string>();
  const found = new Set<string>();
  let unmatched = 0;
  for (const entry of listed) {
    onStep();
    const purchase = await findNamed(database.sql, provider.name, entry);
    const verdict = judgeListed(entry, purchase === null ? null : await knownOf(deps, purchase));
    if (purchase !== null && verdict !== 'unmatched') found.add(purchase.purchaseId);
    if (verdict === 'unmatched' && (await keep(deps, provider, entry))) unmatched += 1;
    if (verdict !== 'look' || purchase === null) continue;
    toLook.add(purchase.purchaseId);
    // The checkout's name is lost when a process dies right after it was made.
    if (entry.sessionId !== null && purchase.sessionId === null)
      await nameSession(database.sql, purchase.purchaseId, entry.sessionId);
  }
  const counts = { converged: 0, mismatches: 0, missing: 0 };
  const unclear = new Set<string>();
  for (const purchaseId of toLook) {
    onStep();
    const looked = await lookAtPurchase(deps, { purchaseId, source: 'reconcile' }).catch(nullWhenAway);
    if (looked === null) unclear.add(purchaseId);
    if (looked?.changed !== true) continue;
    counts.converged += 1;
    if (looked.purchase.state === 'mismatch') counts.mismatches += 1;
  }
  for await (const purchase of findPaidBetween(database.sql, { provider, from: from + EDGE_MS, to: to - EDGE_MS })) {
    onStep();
    if (found.has(purchase.purchaseId)) continue;
    // A deposit is in the list of the day on which it came, and late money in that of the day it was begun.
    const there = await provider.look(atProvider(purchase)).catch(nullWhenAway);
    if (there?.payment.stage !== 'paid') unclear.add(purchase.purchaseId);
  }
  // Whoever answers now was not away: it does not know these.
  if (unclear.size > 0) await provider.list({ from: to - 1_000, to });
  for (const purchaseId of unclear) {
    counts.missing += 1;
    log.error({ purchaseId }, 'a purchase is known here, and its provider does not say what became of it');
  }
  await noteCheck(database.sql, { provider: provider.name, what: comparison });
  return { listed: listed.length, unmatched, ...counts };
}

async function knownOf({ database }: LookDeps, { state, paymentId, purchaseId }: PurchaseRow) {
  const last = await lastSnapshot(database.sql, purchaseId);
  const given = (last?.payment.refunds ?? []).filter((refund) => refund.state !== 'failed');
  return { state, paymentId, refunded: given.reduce((sum, { amount }) => sum + amount, 0) };
}

async function keep(
  { database, log }: LookDeps,
  { name, livemode }: PaymentProvider,
  { paymentId, purchaseId, taken }: Listed,
): Promise<boolean> {
  if (paymentId === null || taken === null) return false;
  const isNew = await keepUnmatched(database.sql, {
    provider: name,
    paymentId,
    orderId: purchaseId,
    livemode,
    taken,
  });
  if (isNew) log.warn({ provider: name, currency: taken.currency, amount: taken.amount }, 'a payment is no purchase’s');
  return isNew;
}

function nullWhenAway(error: unknown): null {
  if (error instanceof ProviderUnavailable) return null;
  throw error;
}
