import { taxInside } from '../../domain/payments/money.ts';
import { estimatedTurns } from '../../domain/policy.ts';
import { readRecentDebits, readUsage } from '../../db/money/usage.ts';
import { getOwnPurchase, listPurchases, type PurchaseRow } from '../../db/purchases/purchases.ts';
import { listRefunds, refundableOf } from '../../db/purchases/refunds.ts';
import { readSecrets } from '../../db/purchases/secrets.ts';
import { buyTokens, watchPurchase } from '../../operations/buy-tokens.ts';
import { confirmPurchase, lookForReader } from '../../operations/look-at-purchase.ts';
import { needsRefundAccount, sellersOf } from '../../operations/payments.ts';
import { refundPurchase } from '../../operations/refund-purchase.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { getIdempotencyKey } from '../http/idempotency-key.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { presentPurchase, presentPurchaseDetail } from '../present/purchase.ts';
import {
  confirmBody,
  packs,
  purchaseBody,
  purchaseDetail,
  purchaseHeaders,
  purchasePage,
  purchaseParams,
  purchasesQuery,
  purchaseStarted,
  refundBody,
} from '../wire/purchase.ts';

export function purchaseRoutes(deps: ApiDeps): Route[] {
  const { database, shop } = deps;
  async function detailOf(caller: Caller, row: PurchaseRow) {
    const { purchasedTokens: balance, asOf: now } = await readUsage(database, caller.principal);
    const refundable = await refundableOf(database.sql, { purchase: row, balance, now });
    const refunds = await listRefunds(database.sql, row.purchaseId);
    const { deposit } = await readSecrets(database.sql, shop.vault, row.purchaseId);
    const asksForAccount = needsRefundAccount(shop, row);
    return presentPurchaseDetail({ row, refundable, refunds, deposit, asksForAccount }, caller.locale);
  }
  return [
    defineRoute({
      method: 'get',
      path: '/api/packs',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'What can be bought here; nothing where nothing is sold',
      answers: { 200: { description: 'In the order of the shop', body: packs } },
      errors: [],
      async handle({ locale, principal: { accountId } }) {
        const debits = await readRecentDebits(database, accountId);
        const items = shop.packs.map((pack) => ({
          packId: pack.packId,
          name: pack.name[locale],
          tokens: pack.tokens,
          bonusTokens: pack.bonusTokens,
          currency: pack.currency,
          amount: pack.amount,
          taxAmount: taxInside(pack),
          estimatedTurns: estimatedTurns(pack.tokens + pack.bonusTokens, debits),
          providers: sellersOf(shop, pack).map(({ name }) => name),
        }));
        return { status: 200, body: { items } };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/purchases',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'Buy a pack: the purchase and the way to pay; the same key is the same purchase',
      headers: purchaseHeaders,
      body: purchaseBody,
      answers: { 201: { description: 'Pay at `checkout`', body: purchaseStarted } },
      errors: ['idempotency_conflict', 'too_many_open_purchases', 'payment_declined', 'provider_unavailable'],
      async handle(caller, { body: { packId, provider, method } }) {
        const { userId } = caller.principal;
        const { purchase, checkout } = await buyTokens(deps, {
          userId,
          packId,
          provider,
          method: method ?? null,
          key: getIdempotencyKey(caller),
          locale: caller.locale,
        });
        const { purchaseId, state } = purchase;
        const headers = { Location: `/api/purchases/${purchaseId}` };
        return { status: 201, headers, body: { purchaseId, state, checkout } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/purchases',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'Your purchases, newest first',
      query: purchasesQuery,
      answers: { 200: { description: 'A page', body: purchasePage } },
      errors: [],
      async handle({ principal: { userId }, locale }, { query: { limit, cursor } }) {
        const page = await listPurchases(database.reads, { filter: { userId }, limit, cursor: cursor ?? null });
        return { status: 200, body: { ...page, items: page.items.map((row) => presentPurchase(row, locale)) } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/purchases/:purchaseId',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'One purchase, as its provider says it is now, and what of it may be given back',
      params: purchaseParams,
      answers: { 200: { description: 'The purchase', body: purchaseDetail } },
      errors: ['not_found'],
      async handle(caller, { params: { purchaseId } }) {
        await getOwnPurchase(database.sql, caller.principal.userId, purchaseId);
        return { status: 200, body: await detailOf(caller, await lookForReader(deps, purchaseId)) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/purchases/:purchaseId/confirm',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'Take the money of a payment that the provider’s page brought back',
      params: purchaseParams,
      body: confirmBody,
      answers: { 200: { description: 'The purchase', body: purchaseDetail } },
      errors: ['not_found', 'amount_mismatch', 'payment_declined', 'payment_pending', 'provider_unavailable'],
      async handle(caller, { params: { purchaseId }, body }) {
        await getOwnPurchase(database.sql, caller.principal.userId, purchaseId);
        try {
          const look = await confirmPurchase(deps, { purchaseId, ...body });
          return { status: 200, body: await detailOf(caller, look) };
        } finally {
          // Whatever became of it here, its workflow looks until the provider has decided.
          await watchPurchase(deps, purchaseId);
        }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/purchases/:purchaseId/refunds',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'Give unspent tokens of a purchase back for its money, within seven days',
      params: purchaseParams,
      headers: purchaseHeaders,
      body: refundBody,
      answers: { 202: { description: 'Its tokens are taken and the money is asked back', body: purchaseDetail } },
      errors: ['not_found', 'not_refundable', 'payment_pending', 'idempotency_conflict'],
      async handle(caller, { params: { purchaseId }, body }) {
        const { userId } = caller.principal;
        const { purchase } = await refundPurchase(deps, {
          purchaseId,
          by: { userId, tokens: 'tokens' in body ? body.tokens : null },
          reason: body.reason ?? 'the buyer asked for it',
          key: getIdempotencyKey(caller),
          account: body.refundAccount ?? null,
        });
        return { status: 202, body: await detailOf(caller, purchase) };
      },
    }),
  ];
}
