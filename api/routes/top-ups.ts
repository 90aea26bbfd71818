import { findTopUpSettings, readTopUpSpent } from '../../db/top-ups/settings.ts';
import { addCard, cardKeeperOf, dropCard, readCards } from '../../operations/top-ups/keep-cards.ts';
import { chooseTopUp, waysOf } from '../../operations/top-ups/settings.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { presentCard, presentTopUp } from '../present/top-up.ts';
import {
  autoTopUp,
  autoTopUpBody,
  paymentMethodBody,
  paymentMethodParams,
  paymentMethods,
  paymentMethodStarted,
} from '../wire/top-up.ts';

/** Cards that may be charged without their owner, and what is bought with them. */
export function topUpRoutes(deps: ApiDeps): Route[] {
  const { database, shop } = deps;
  async function read(accountId: number) {
    const settings = await findTopUpSettings(database.sql, accountId);
    const spent = settings === null ? 0 : await readTopUpSpent(database.sql, settings);
    return presentTopUp(settings, { ways: waysOf(deps), spent });
  }
  return [
    defineRoute({
      method: 'get',
      path: '/api/payment-methods',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'Your cards that may be charged without you',
      answers: { 200: { description: 'Those that are kept', body: paymentMethods } },
      errors: [],
      async handle({ principal: { accountId } }) {
        const items = (await readCards(deps, accountId)).map(presentCard);
        return { status: 200, body: { canAdd: cardKeeperOf(shop) !== null, items } };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/payment-methods',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'Give a card on the provider’s page; it is kept once the form there is finished',
      body: paymentMethodBody,
      answers: { 201: { description: 'Give it at `checkout`', body: paymentMethodStarted } },
      errors: ['provider_unavailable'],
      async handle({ principal: { accountId }, locale }) {
        const { methodId, url } = await addCard(deps, { accountId, locale });
        return { status: 201, body: { paymentMethodId: methodId, checkout: { kind: 'redirect', url } } };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/api/payment-methods/:paymentMethodId',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'Remove a card: nothing is charged to it any more, and the provider forgets it',
      params: paymentMethodParams,
      answers: { 204: { description: 'Removed' } },
      errors: ['not_found'],
      async handle({ principal: { accountId } }, { params: { paymentMethodId } }) {
        await dropCard(deps, { accountId, methodId: paymentMethodId });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/auto-top-up',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'What is bought when your tokens run low',
      answers: { 200: { description: 'As it stands', body: autoTopUp } },
      errors: [],
      async handle({ principal: { accountId } }) {
        return { status: 200, body: await read(accountId) };
      },
    }),
    defineRoute({
      method: 'put',
      path: '/api/auto-top-up',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'Choose what is bought when your tokens run low, or switch it off',
      body: autoTopUpBody,
      answers: { 200: { description: 'As it stands now', body: autoTopUp } },
      errors: ['card_declined'],
      async handle({ principal: { accountId, userId } }, { body }) {
        await chooseTopUp(deps, { accountId, userId, chosen: body.enabled ? body : null });
        return { status: 200, body: await read(accountId) };
      },
    }),
  ];
}
