import { z } from 'zod';
import { readClock } from '../../db/database.ts';
import { countFailures, listTurns } from '../../db/reports/admin-turns.ts';
import { countFailuresOverTime } from '../../db/reports/failures-over-time.ts';
import { getTurnDetail } from '../../db/reports/turn-detail.ts';
import { decideBuckets } from '../../domain/failure-buckets.ts';
import type { ApiDeps } from '../context.ts';
import { CSV_OF_TABLE, sendTable, VARY, wantsCsv } from '../http/csv.ts';
import { iso } from '../present/turn.ts';
import { presentAdminTurn, presentTurnDetail } from '../present/admin-turn.ts';
import { withName, withNames } from '../present/person.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { replay } from '../../operations/replay-turn.ts';
import {
  adminTurn,
  adminTurnDetail,
  adminTurnPage,
  adminTurnQuery,
  adminTurnsQuery,
  failures,
  failuresQuery,
  replayBody,
} from '../wire/admin-turn.ts';
import { uuid } from '../wire/fields.ts';
import { actorOf } from './audit.ts';

const params = z.object({ turnId: uuid });
const TURN_COLUMNS = [
  'turnId',
  'conversationId',
  'userId',
  'person.email',
  'person.name',
  'state',
  'error.code',
  'model',
  'attempt',
  'usage.promptTokens',
  'usage.completionTokens',
  'usage.debitedTokens',
  'usage.estimated',
  'finishReason',
  'createdAt',
  'endedAt',
  'durationMs',
  'replayedAt',
];
const PERSON = { person: ({ userId }: { userId: number }) => userId };

export function adminTurnRoutes(deps: ApiDeps): Route[] {
  const { database, models, runs, links } = deps;
  return [
    defineRoute({
      method: 'get',
      path: '/api/admin/turns',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Everybody’s turns by filter, newest first, and how many failed of what',
      query: adminTurnsQuery,
      answers: { 200: { description: 'A page', body: adminTurnPage, csv: CSV_OF_TABLE } },
      errors: [],
      async handle(caller, { query: { limit, cursor, ...filter } }) {
        const list = async (wanted: { limit: number; cursor: string | null }) => {
          const page = await listTurns(database, { filter, ...wanted });
          const items = page.items.map((turn) => presentAdminTurn(turn, { locale: caller.locale, models }));
          return { ...page, items: await withNames(database.reads, items, PERSON) };
        };
        if (wantsCsv(caller.request)) return sendTable(caller, { name: 'turns', columns: TURN_COLUMNS, list });
        const [page, counts] = await Promise.all([
          list({ limit, cursor: cursor ?? null }),
          cursor === undefined ? countFailures(database, filter) : null,
        ]);
        return { status: 200, headers: VARY, body: { ...page, counts } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/turns/failures',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'What turns failed of over time, by when they were accepted',
      query: failuresQuery,
      answers: { 200: { description: 'Buckets', body: failures } },
      errors: [],
      async handle(_caller, { query: { bucket, timeZone, from, to, ...filter } }) {
        const buckets = await countFailuresOverTime(database, {
          filter,
          buckets: decideBuckets({ bucket, from, to }, await readClock(database.sql), timeZone),
        });
        return {
          status: 200,
          body: {
            bucket,
            items: buckets.map((span) => ({ from: iso(span.from), to: iso(span.to), counts: span.counts })),
          },
        };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/turns/:turnId',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'One turn: its timeline, holds, attempts, ledger entries and workflow runs',
      params,
      query: adminTurnQuery,
      answers: { 200: { description: 'The turn', body: adminTurnDetail } },
      errors: ['not_found'],
      async handle(caller, { params: { turnId }, query: { include } }) {
        const detail = await getTurnDetail(database, {
          turnId,
          readContent: include === 'content' ? actorOf(caller) : null,
        });
        const newest = await runs.findNewest(detail.turn);
        const shown = presentTurnDetail(detail, newest, { locale: caller.locale, models, links });
        return { status: 200, body: await withName(database.sql, shown, PERSON) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/admin/turns/:turnId/replay',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Run a failed turn again, in the background; debited once, when it succeeds',
      params,
      body: replayBody,
      answers: {
        202: {
          description: 'It will run; without room it fails again with TOKEN_EXHAUSTED. `Location` shows how it goes',
          body: adminTurn,
        },
      },
      errors: ['not_found', 'turn_not_failed', 'turn_erased', 'account_suspended', 'conversation_busy'],
      async handle(caller, { params: { turnId }, body: { reason } }) {
        const reopened = await replay(deps, { turnId, reason, actor: actorOf(caller) });
        return {
          status: 202,
          headers: { Location: `/api/admin/turns/${turnId}` },
          body: await withName(database.sql, presentAdminTurn(reopened, { locale: caller.locale, models }), PERSON),
        };
      },
    }),
  ];
}
