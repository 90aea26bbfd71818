import { listModels } from '../../db/reports/models.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { iso } from '../present/turn.ts';
import { adminModelPage } from '../wire/admin-model.ts';

/** The catalogue, for admins: what is on offer at which rate, and how it goes. */
export function adminModelRoutes({ database, models }: Pick<ApiDeps, 'database' | 'models'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/admin/models',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Every model that is or was on offer: its rate, and how its turns of the last 24 hours went',
      answers: { 200: { description: 'Those on offer first, in the order of the catalogue', body: adminModelPage } },
      errors: [],
      async handle() {
        const known = await listModels(database.reads);
        const placeOf = (name: string) => {
          const place = models.findIndex((offered) => offered.name === name);
          return place === -1 ? models.length : place;
        };
        const items = known
          .toSorted((a, b) => placeOf(a.model) - placeOf(b.model))
          .map(({ model, turns, failed, since, ...rate }) => {
            const offered = models[placeOf(model)];
            return {
              model,
              isOffered: offered !== undefined,
              isDefault: placeOf(model) === 0,
              rate: { ...rate, since: iso(since) },
              contextWindow: offered?.contextWindow ?? null,
              maxOutputTokens: offered?.maxOutputTokens ?? null,
              turns,
              failed,
              errorPercent: turns === 0 ? null : Math.round((failed / turns) * 10_000) / 100,
            };
          });
        return { status: 200, body: { items, nextCursor: null } };
      },
    }),
  ];
}
