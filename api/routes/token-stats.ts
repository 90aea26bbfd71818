import { writeAudit } from '../../db/audit.ts';
import { findAccount } from '../../db/money/accounts.ts';
import { readUsage } from '../../db/money/usage.ts';
import { findNames } from '../../db/people/names.ts';
import { getPrincipal } from '../../db/people/users.ts';
import { lookAlikesOf } from '../../domain/email.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { iso, presentUsage } from '../present/turn.ts';
import { userParams } from '../wire/grant.ts';
import { tokenStats, userTokenStats } from '../wire/token-stats.ts';
import { actorOf } from './audit.ts';

export function tokenStatsRoutes({ database, stats, config }: Pick<ApiDeps, 'database' | 'stats' | 'config'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/admin/token-stats',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Who uses how much: overview, distribution and the 100 who used most; computed every 10 minutes',
      answers: { 200: { description: 'As of `asOf`', body: tokenStats } },
      errors: [],
      async handle() {
        const { asOf, topUsers, ...figures } = await stats.read();
        // The cache may be of before somebody got their name.
        const names = await findNames(
          database.reads,
          topUsers.map(({ userId }) => userId),
        );
        const shown = topUsers.map((user) => ({
          ...user,
          name: names.get(user.userId)?.name ?? null,
          emailLookAlikes: lookAlikesOf(user.email),
        }));
        return { status: 200, body: { ...figures, topUsers: shown, asOf: iso(asOf) } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/token-stats/user/:userId',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'One person’s usage state, as they see it now',
      params: userParams,
      answers: { 200: { description: 'The usage state', body: userTokenStats } },
      errors: ['not_found'],
      async handle(_caller, { params: { userId } }) {
        const account = await findAccount(database.sql, userId);
        if (account === null) throw new AppError('not_found');
        const [{ email }, state] = await Promise.all([
          getPrincipal(database.sql, userId),
          readUsage(database, { accountId: account.accountId }),
        ]);
        return {
          status: 200,
          body: { userId, email, ...presentUsage(state, config.policy.purchaseUrl), asOf: iso(state.asOf) },
        };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/api/admin/token-stats/cache',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Forget the cached statistics: the next who asks gets fresh ones',
      answers: { 204: { description: 'Forgotten' } },
      errors: [],
      async handle(caller) {
        await database.transaction(async (tx) => {
          await writeAudit(tx, {
            actor: actorOf(caller),
            action: 'stats_cache.delete',
            target: 'token_stats',
            reason: null,
          });
          await stats.clear().catch((cause: unknown) => {
            throw new AppError('unavailable', { retryAfter: 2 }, { cause });
          });
        });
        return { status: 204 };
      },
    }),
  ];
}
