import type { z } from 'zod';
import { readDays, readFailedDays, readToday, type DayRange } from '../../db/reports/days/read-days.ts';
import { readPeople, type PeopleWanted } from '../../db/reports/days/read-people.ts';
import type { Cost } from '../../domain/cost.ts';
import { costsOf, dayLater, daysBetween, figuresOfRange } from '../../domain/day-figures.ts';
import { lookAlikesOf } from '../../domain/email.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { keepSlow } from '../../platform/keep-slow.ts';
import { iso } from '../present/turn.ts';
import { usageOfRange, usagePeople, usagePeopleQuery, usageRangeQuery } from '../wire/admin-usage.ts';

const DEFAULT_DAYS = 7;
const MOST_DAYS = 366;

/** What the operator reads of some days: what was used, failed and cost, beside the days before, and who it was. */
export function adminUsageRoutes({ database, models }: Pick<ApiDeps, 'database' | 'models'>): Route[] {
  // Read anew each time: the list follows another deployment's rates, and an entry that has gone has no price.
  const costs = () =>
    new Map(models.flatMap(({ name, cost }): [string, Cost][] => (cost === undefined ? [] : [[name, cost]])));
  const peopleOf = keepSlow((wanted: PeopleWanted) => readPeople(database, wanted));
  return [
    defineRoute({
      method: 'get',
      path: '/api/admin/usage',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'What some days used, failed and cost, by day and by model, beside as many days before',
      query: usageRangeQuery,
      answers: { 200: { description: 'The figures of the days', body: usageOfRange } },
      errors: [],
      async handle({ principal: { accountId } }, { query }) {
        const { timeZone, today } = await readToday(database, accountId);
        const { range, before } = rangesOf(query, today);
        const both = { from: before.from, to: range.to };
        const [{ used, firstDeltas, asOf }, failed] = await Promise.all([
          readDays(database, both),
          readFailedDays(database, { ...both, timeZone }),
        ]);
        const facts = { used, firstDeltas, failed };
        const figures = (days: DayRange) => ({ ...days, ...figuresOfRange(facts, days, costs()) });
        return { status: 200, body: { ...figures(range), timeZone, before: figures(before), asOf: iso(asOf) } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/usage/people',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'How many people used tokens in some days, by day and by model, and who used most at what cost',
      query: usagePeopleQuery,
      answers: { 200: { description: 'The people of the days', body: usagePeople } },
      errors: [],
      async handle({ principal: { accountId } }, { query: { top, ...query } }) {
        const { today } = await readToday(database, accountId);
        const { range, before } = rangesOf(query, today);
        const { top: found, before: earlier, ...people } = await peopleOf({ ...range, since: before.from, top });
        const body = {
          ...range,
          ...people,
          before: { ...before, ...earlier },
          top: found.map((person) => ({
            ...person,
            emailLookAlikes: lookAlikesOf(person.email),
            ...costsOf(person.models, costs()),
          })),
        };
        return { status: 200, body };
      },
    }),
  ];
}

/** @throws AppError invalid_request, which names the field. */
function rangesOf(query: z.infer<typeof usageRangeQuery>, today: string): { range: DayRange; before: DayRange } {
  const to = query.to ?? today;
  const from = query.from ?? dayLater(to, 1 - DEFAULT_DAYS);
  const days = daysBetween(from, to);
  if (days < 1 || days > MOST_DAYS)
    throw new AppError('invalid_request', { field: 'from', reason: `must be 0 to ${MOST_DAYS - 1} days before to` });
  return { range: { from, to }, before: { from: dayLater(from, -days), to: dayLater(from, -1) } };
}
