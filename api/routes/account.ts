import { findAccount } from '../../db/money/accounts.ts';
import { readUsage, setTestUsage } from '../../db/money/usage.ts';
import { updateProfile, type Principal } from '../../db/people/users.ts';
import { readAccountTip } from '../../db/reports/account-events.ts';
import { formatAccountCursor } from '../../domain/account-events.ts';
import { AppError } from '../../domain/errors.ts';
import { afterWrite } from '../../operations/after-write.ts';
import { startTopUpIfDue } from '../../operations/top-ups/start-top-ups.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { presentUsage } from '../present/turn.ts';
import { offeredTo } from '../turns/offered.ts';
import { me, modelPage, testUsageBody, updateMeBody, usageState } from '../wire/account.ts';

export function accountRoutes(deps: ApiDeps): Route[] {
  const { database, config } = deps;
  const presentMe = async ({ userId, email, role, timeZone, locale }: Principal) => ({
    userId,
    email,
    role,
    timeZone,
    locale,
    eventId: formatAccountCursor(await readAccountTip(database.sql, { userId })),
  });
  return [
    defineRoute({
      method: 'get',
      path: '/api/models',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'The models on offer, with their rates; the first is the default',
      answers: { 200: { description: 'All of them', body: modelPage } },
      errors: [],
      async handle(caller) {
        const items = (await offeredTo(deps, caller)).map(
          (
            {
              name,
              vision,
              contextWindow,
              maxOutputTokens,
              defaultOutputTokens,
              historyTokens,
              rate: { id: _, ...rate },
            },
            i,
          ) => ({
            name,
            default: i === 0,
            vision: vision !== null,
            contextWindow,
            maxOutputTokens,
            defaultOutputTokens,
            historyTokens,
            rate,
          }),
        );
        return { status: 200, body: { items, nextCursor: null } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/me',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'Who you are, your time zone and language',
      answers: { 200: { description: 'You', body: me } },
      errors: [],
      async handle({ principal }) {
        return { status: 200, body: await presentMe(principal) };
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/api/me',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'Change your time zone or language',
      body: updateMeBody,
      answers: { 200: { description: 'You', body: me } },
      errors: [],
      async handle({ principal }, { body: { timeZone, locale } }) {
        const changed = await updateProfile(database, {
          userId: principal.userId,
          ...(timeZone === undefined ? {} : { timeZone }),
          ...(locale === undefined ? {} : { locale }),
        });
        if (timeZone !== undefined) await afterWrite(deps, principal.userId);
        return { status: 200, body: await presentMe({ ...changed, role: principal.role }) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/ai-usage',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'Your tokens: the figures that decide whether you may send',
      answers: { 200: { description: 'The usage state', body: usageState } },
      errors: [],
      async handle({ principal }) {
        return {
          status: 200,
          body: presentUsage(await readUsage(database, { accountId: principal.accountId }), config.policy.purchaseUrl),
        };
      },
    }),
    ...(config.testRoutes ? [testUsage(deps)] : []),
  ];
}

/** Exists only on the embedded stack or with TEST_ROUTES=true. */
function testUsage(deps: ApiDeps): Route {
  const { database, config } = deps;
  return defineRoute({
    method: 'post',
    path: '/api/ai-usage/test-usage',
    access: 'user',
    tag: 'Test',
    limit: 'read',
    summary: 'Put an account at a level; your own, or as admin anybody’s',
    body: testUsageBody,
    answers: { 200: { description: 'The usage state now', body: usageState } },
    errors: ['forbidden', 'not_found', 'tokens_held'],
    async handle({ principal }: Caller, { body: { userId, usagePercent } }) {
      if (userId !== principal.userId && principal.role !== 'admin') throw new AppError('forbidden');
      const account = await findAccount(database.sql, userId);
      if (account === null) throw new AppError('not_found');
      const state = await setTestUsage(database, { accountId: account.accountId, percent: usagePercent });
      await afterWrite(deps, userId);
      await startTopUpIfDue(deps, { ...account, userId });
      return { status: 200, body: presentUsage(state, config.policy.purchaseUrl) };
    },
  });
}
