import type { z } from 'zod';
import { lastSnapshot } from '../../db/purchases/converge.ts';
import { getPurchase, listPurchases, type PurchaseRow } from '../../db/purchases/purchases.ts';
import { listRefunds } from '../../db/purchases/refunds.ts';
import { listUnmatched } from '../../db/purchases/unmatched.ts';
import { readTimeline } from '../../db/reports/purchase-timeline.ts';
import { isAcceptable } from '../../domain/payments/purchase.ts';
import { lookForAdmin } from '../../operations/look-at-purchase.ts';
import { acceptForAdmin } from '../../operations/payments/accept-mismatch.ts';
import { needsRefundAccount } from '../../operations/payments.ts';
import { refundPurchase } from '../../operations/refund-purchase.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { getIdempotencyKey } from '../http/idempotency-key.ts';
import { columnsOfTable, CSV_OF_TABLE, sendTable, VARY, wantsCsv } from '../http/csv.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { withName, withNames } from '../present/person.ts';
import { presentPurchase, presentRefund, presentRefundsTo } from '../present/purchase.ts';
import { iso, isoOrNull } from '../present/turn.ts';
import {
  adminPurchaseDetail,
  adminPurchasePage,
  adminPurchasesQuery,
  adminRefundBody,
  unmatchedPage,
  unmatchedQuery,
  adminPurchase,
} from '../wire/admin-purchase.ts';
import { grantHeaders } from '../wire/grant.ts';
import { purchaseParams } from '../wire/purchase.ts';
import { acceptBody } from '../wire/sales.ts';
import { actorOf } from './audit.ts';

const PERSON = { person: ({ userId }: { userId: number }) => userId };

export function adminPurchaseRoutes(deps: ApiDeps): Route[] {
  const { database, shop } = deps;
  async function detailOf({ locale }: Caller, row: PurchaseRow): Promise<z.infer<typeof adminPurchaseDetail>> {
    const { snapshots, bookings, hints } = await readTimeline(database.sql, row.purchaseId);
    const last = snapshots.at(-1);
    const seen = await lastSnapshot(database.sql, row.purchaseId);
    const refunds = await listRefunds(database.sql, row.purchaseId);
    const named = await withName(database.sql, { ...presentPurchase(row, locale), userId: row.userId }, PERSON);
    return {
      ...named,
      lookedAt: isoOrNull(row.lookedAt),
      acceptedAmount: row.acceptedAmount,
      acceptableAmount:
        row.state === 'mismatch' && seen !== null && isAcceptable(row, seen.payment) ? seen.payment.paid : null,
      keptAmount: last === undefined ? 0 : Math.max(0, last.paid - last.refunded - last.withdrawn),
      ...presentRefundsTo(needsRefundAccount(shop, row), locale),
      snapshots: snapshots.map(({ seenAt, ...seen }) => ({ ...seen, seenAt: iso(seenAt) })),
      bookings: bookings.map(({ createdAt, ...booked }) => ({ ...booked, createdAt: iso(createdAt) })),
      refunds: await withNames(
        database.sql,
        refunds.map((refund) => ({
          ...presentRefund(refund),
          reason: refund.reason,
          requestedBy: refund.requestedBy,
        })),
        { requester: ({ requestedBy }) => requestedBy },
      ),
      hints: hints.map(({ receivedAt, ...heard }) => ({ ...heard, receivedAt: iso(receivedAt) })),
    };
  }
  return [
    defineRoute({
      method: 'get',
      path: '/api/admin/purchases',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Purchases by state, provider and person, newest first',
      query: adminPurchasesQuery,
      answers: { 200: { description: 'A page', body: adminPurchasePage, csv: CSV_OF_TABLE } },
      errors: [],
      async handle(caller, { query: { limit, cursor, ...filter } }) {
        const list = async (wanted: { limit: number; cursor: string | null }) => {
          const page = await listPurchases(database.reads, { filter, ...wanted });
          const items = page.items.map((row) => ({ ...presentPurchase(row, caller.locale), userId: row.userId }));
          return { ...page, items: await withNames(database.sql, items, PERSON) };
        };
        if (wantsCsv(caller.request))
          return sendTable(caller, { name: 'purchases', columns: columnsOfTable(adminPurchase.shape), list });
        return { status: 200, headers: VARY, body: await list({ limit, cursor: cursor ?? null }) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/payments/unmatched',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Payments that a provider took and that are no purchase’s, newest first',
      query: unmatchedQuery,
      answers: { 200: { description: 'A page', body: unmatchedPage } },
      errors: [],
      async handle(_, { query: { limit, cursor } }) {
        const page = await listUnmatched(database.sql, { limit, cursor: cursor ?? null });
        const items = page.items.map(({ takenAt, foundAt, ...payment }) => ({
          ...payment,
          takenAt: iso(takenAt),
          foundAt: iso(foundAt),
        }));
        return { status: 200, body: { ...page, items } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/purchases/:purchaseId',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'One purchase: what was seen of its payment, what was booked, its refunds and hints',
      params: purchaseParams,
      answers: { 200: { description: 'The purchase', body: adminPurchaseDetail } },
      errors: ['not_found'],
      async handle(caller, { params: { purchaseId } }) {
        return { status: 200, body: await detailOf(caller, await getPurchase(database.sql, purchaseId)) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/admin/purchases/:purchaseId/look',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Read the payment at its provider now and book what follows',
      params: purchaseParams,
      answers: { 200: { description: 'The purchase, as it is now', body: adminPurchaseDetail } },
      errors: ['not_found', 'provider_unavailable'],
      async handle(caller, { params: { purchaseId } }) {
        const purchase = await lookForAdmin(deps, { purchaseId, actor: actorOf(caller) });
        return { status: 200, body: await detailOf(caller, purchase) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/admin/purchases/:purchaseId/grant-mismatch',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Take a payment of another amount for the price and grant its tokens',
      params: purchaseParams,
      body: acceptBody,
      answers: { 200: { description: 'The purchase, as it is now', body: adminPurchaseDetail } },
      errors: ['not_found', 'not_acceptable', 'provider_unavailable'],
      async handle(caller, { params: { purchaseId }, body: { reason } }) {
        const purchase = await acceptForAdmin(deps, { purchaseId, actor: actorOf(caller), reason });
        return { status: 200, body: await detailOf(caller, purchase) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/admin/purchases/:purchaseId/refunds',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Give money of a purchase back, whatever was spent of its tokens: what they lack becomes debt',
      params: purchaseParams,
      headers: grantHeaders,
      body: adminRefundBody,
      answers: { 202: { description: 'Its tokens are taken and the money is asked back', body: adminPurchaseDetail } },
      errors: ['not_found', 'not_refundable', 'payment_pending', 'idempotency_conflict'],
      async handle(caller, { params: { purchaseId }, body: { amount, reason, refundAccount } }) {
        const { purchase } = await refundPurchase(deps, {
          purchaseId,
          by: { actor: actorOf(caller), amount: amount ?? null },
          reason,
          key: getIdempotencyKey(caller),
          account: refundAccount ?? null,
        });
        return { status: 202, body: await detailOf(caller, purchase) };
      },
    }),
  ];
}
