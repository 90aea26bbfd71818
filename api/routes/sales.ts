import { getPurchases, type PurchaseRow } from '../../db/purchases/purchases.ts';
import { listDisputes, readRevenue } from '../../db/reports/sales.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { withNames } from '../present/person.ts';
import { presentPurchase } from '../present/purchase.ts';
import { iso } from '../present/turn.ts';
import { disputePage, disputesQuery, revenue, revenueQuery } from '../wire/sales.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;

/** What admins read of sales as a whole. */
export function salesRoutes({ database, now }: Pick<ApiDeps, 'database' | 'now'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/admin/disputes',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Purchases that are or were disputed, the newest dispute first',
      query: disputesQuery,
      answers: { 200: { description: 'A page', body: disputePage } },
      errors: [],
      async handle({ locale }, { query: { open, limit, cursor } }) {
        const page = await listDisputes(database.sql, { isOpen: open ?? null, limit, cursor: cursor ?? null });
        const purchases = await getPurchases(
          database.sql,
          page.items.map(({ purchaseId }) => purchaseId),
        );
        const byId = new Map(purchases.map((row) => [row.purchaseId, row]));
        const items = page.items.map(({ purchaseId, withdrawn, isOpen, disputedAt }) => {
          const row = byId.get(purchaseId) as PurchaseRow;
          return {
            ...presentPurchase(row, locale),
            userId: row.userId,
            withdrawnAmount: withdrawn,
            isOpen,
            disputedAt: iso(disputedAt),
          };
        });
        return {
          status: 200,
          body: { ...page, items: await withNames(database.sql, items, { person: ({ userId }) => userId }) },
        };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/revenue',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Real money by day and currency, on your wall clock: paid, refunded, held by disputes',
      query: revenueQuery,
      answers: { 200: { description: 'The days on which something moved, newest first', body: revenue } },
      errors: [],
      async handle({ principal: { accountId } }, { query }) {
        const to = query.to ?? dayOf(now() + DAY_MS);
        const from = query.from ?? dayOf(Date.parse(to) - 30 * DAY_MS);
        const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
        if (days < 0 || days >= MOST_DAYS)
          throw new AppError('invalid_request', {
            field: 'from',
            reason: `must be 0 to ${MOST_DAYS - 1} days before to`,
          });
        const { timeZone, items } = await readRevenue(database.sql, { from, to, accountId });
        const withNet = items.map((day) => ({ ...day, net: day.paid - day.refunded - day.withdrawn }));
        return { status: 200, body: { from, to, timeZone, items: withNet } };
      },
    }),
  ];
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
