import { readUsage } from '../../db/money/usage.ts';
import {
  getUser,
  listEntries,
  listLiveHolds,
  listUsers,
  type EntryRecord,
  type LiveHold,
} from '../../db/reports/admin-users.ts';
import { SCHEDULE_KINDS } from '../../domain/schedules.ts';
import { resume, suspend } from '../../operations/suspend-user.ts';
import { within } from '../../platform/deadline.ts';
import type { ApiDeps } from '../context.ts';
import { columnsOfTable, CSV_OF_TABLE, sendTable, VARY, wantsCsv } from '../http/csv.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { presentUser } from '../present/person.ts';
import { iso, isoOrNull, presentUsage } from '../present/turn.ts';
import {
  adminUser,
  adminUserDetail,
  adminUserDetailQuery,
  adminUserPage,
  adminUsersQuery,
  suspendedUser,
  suspensionBody,
} from '../wire/admin-user.ts';
import { userParams } from '../wire/grant.ts';
import { actorOf } from './audit.ts';

export function adminUserRoutes(deps: ApiDeps): Route[] {
  const { database, config } = deps;
  return [
    defineRoute({
      method: 'get',
      path: '/api/admin/users',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'People: searched by number, e-mail or name, in the order that is asked for',
      query: adminUsersQuery,
      answers: { 200: { description: 'A page', body: adminUserPage, csv: CSV_OF_TABLE } },
      errors: [],
      async handle(caller, { query: { limit, cursor, sort, ...filter } }) {
        const list = async (wanted: { limit: number; cursor: string | null }) => {
          const page = await listUsers(database, { filter, order: sort, ...wanted });
          return { ...page, items: page.items.map(presentUser) };
        };
        if (wantsCsv(caller.request))
          return sendTable(caller, {
            name: 'users',
            columns: columnsOfTable(adminUser.shape),
            list,
            ...(sort.endsWith('usedTokens') ? { batch: 5_000 } : {}),
          });
        return { status: 200, headers: VARY, body: await list({ limit, cursor: cursor ?? null }) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/users/:userId',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'One person: usage, live holds, schedules, ledger',
      params: userParams,
      query: adminUserDetailQuery,
      answers: { 200: { description: 'The person', body: adminUserDetail } },
      errors: ['not_found'],
      async handle(_caller, { params: { userId }, query: { limit, cursor } }) {
        const user = await getUser(database.sql, userId);
        const { accountId } = user;
        const usage = await readUsage(database, { accountId });
        const holds = await listLiveHolds(database.sql, accountId);
        const schedules = await findSchedules(deps, userId);
        const ledger = await listEntries(database.sql, { accountId, limit, cursor: cursor ?? null });
        return {
          status: 200,
          body: {
            ...presentUser(user),
            usage: presentUsage(usage, config.policy.purchaseUrl),
            holds: holds.map(presentHold),
            schedules,
            ledger: { ...ledger, items: ledger.items.map(presentEntry) },
          },
        };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/admin/users/:userId/suspend',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Suspend: running turns stop and are charged; sends, retries and replays are refused; reading stays',
      params: userParams,
      body: suspensionBody,
      answers: { 200: { description: 'The person, suspended', body: suspendedUser } },
      errors: ['not_found'],
      async handle(caller, { params: { userId }, body: { reason } }) {
        const { stopping } = await suspend(deps, { userId, reason, actor: actorOf(caller) });
        return { status: 200, body: { ...presentUser(await getUser(database.sql, userId)), stopping } };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/admin/users/:userId/resume',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'End a suspension',
      params: userParams,
      body: suspensionBody,
      answers: { 200: { description: 'The person', body: adminUser } },
      errors: ['not_found'],
      async handle(caller, { params: { userId }, body: { reason } }) {
        await resume(deps, { userId, reason, actor: actorOf(caller) });
        return { status: 200, body: presentUser(await getUser(database.sql, userId)) };
      },
    }),
  ];
}

/** The page must not wait for a Temporal that is away. */
async function findSchedules({ planner }: ApiDeps, userId: number) {
  const found = await within(2_000, Promise.all(SCHEDULE_KINDS.map((kind) => planner.find(kind, userId)))).catch(
    () => null,
  );
  return (
    found?.flatMap((schedule) =>
      schedule === null ? [] : [{ kind: schedule.kind, timing: schedule.timing, nextAt: isoOrNull(schedule.nextAt) }],
    ) ?? null
  );
}

function presentHold({ createdAt, expiresAt, ...hold }: LiveHold) {
  return { ...hold, createdAt: iso(createdAt), expiresAt: isoOrNull(expiresAt) };
}

function presentEntry({ createdAt, ...entry }: EntryRecord) {
  return { ...entry, createdAt: iso(createdAt) };
}
