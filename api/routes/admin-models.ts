import { switchModel } from '../../db/catalogue/switches.ts';
import { listModels, type ModelRecord } from '../../db/reports/models.ts';
import type { Sql } from '../../db/database.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { iso } from '../present/turn.ts';
import { adminModel, adminModelPage, modelParams, modelSwitch } from '../wire/admin-model.ts';
import { actorOf } from './audit.ts';

/** The catalogue, for admins: what is on offer at which rate, how it goes, and what is on. */
export function adminModelRoutes(deps: Pick<ApiDeps, 'database' | 'models' | 'switches'>): Route[] {
  const { database, models } = deps;
  return [
    defineRoute({
      method: 'get',
      path: '/api/admin/models',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Every model that is or was in the catalogue: its rate, and how its turns of the last 24 hours went',
      answers: { 200: { description: 'The catalogue first, in its order', body: adminModelPage } },
      errors: [],
      async handle() {
        return { status: 200, body: { items: await list(deps, database.reads), nextCursor: null } };
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/api/admin/models/:model',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Switch a model on or off, for every new question within a second; what runs goes on',
      params: modelParams,
      body: modelSwitch,
      answers: { 200: { description: 'The model', body: adminModel } },
      errors: ['not_found'],
      async handle(caller, { params: { model }, body: { isOn, reason } }) {
        const catalogue = models.map(({ name }) => name);
        if (!catalogue.includes(model)) throw new AppError('not_found');
        await switchModel(database, { model, isOn, reason, catalogue, actor: actorOf(caller) });
        deps.switches.forget();
        const items = await list(deps, database.sql);
        return { status: 200, body: items.find((item) => item.model === model) };
      },
    }),
  ];
}

async function list({ models }: Pick<ApiDeps, 'models'>, on: Sql) {
  const known = await listModels(on);
  const placeOf = (name: string) => {
    const place = models.findIndex((listed) => listed.name === name);
    return place === -1 ? models.length : place;
  };
  const isOffered = ({ model, offSince }: ModelRecord) => placeOf(model) < models.length && offSince === null;
  const sorted = known.toSorted((a, b) => placeOf(a.model) - placeOf(b.model));
  const theDefault = sorted.find(isOffered);
  return sorted.map((record) => {
    const { model, turns, failed, firstDelta, since, offSince, ...rate } = record;
    const listed = models[placeOf(model)];
    return {
      model,
      isInCatalogue: listed !== undefined,
      isOffered: isOffered(record),
      offSince: offSince === null ? null : iso(offSince),
      isDefault: record === theDefault,
      rate: { ...rate, since: iso(since) },
      contextWindow: listed?.contextWindow ?? null,
      maxOutputTokens: listed?.maxOutputTokens ?? null,
      turns,
      failed,
      errorPercent: turns === 0 ? null : Math.round((failed / turns) * 10_000) / 100,
      firstDelta,
    };
  });
}
