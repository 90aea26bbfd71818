import { z } from 'zod';
import type { Page } from '../../db/page.ts';
import { findMonth, listDays, listLabels, listModels, listTurnUsage, type Month } from '../../db/reports/history.ts';
import type { Database } from '../../db/database.ts';
import type { ApiDeps } from '../context.ts';
import { sendCsv, type Cell } from '../http/csv.ts';
import { iso } from '../present/turn.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { dayUsage, historyPage, historyQuery, labelUsage, modelUsage, turnUsage } from '../wire/history.ts';

/** Lines of a CSV that one query reads. */
const BATCH = 1_000;

export function historyRoutes({ database }: Pick<ApiDeps, 'database'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/ai-usage/history',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'Where the tokens of a month went: by day, turn, model or label; as JSON or (Accept: text/csv) CSV',
      query: historyQuery,
      answers: {
        200: {
          description: 'A page. CSV is always the whole month',
          body: historyPage,
          csv: 'RFC 4180 with a header line: the fields of the items, in their order; `rateVersions` are separated by spaces',
        },
      },
      errors: [],
      async handle({ principal, request, response, gone }, { query: { by, month: wanted, limit, cursor } }) {
        const month = await findMonth(database, { accountId: principal.accountId, month: wanted ?? null });
        const view = VIEWS[by];
        if (request.accepts(['application/json', 'text/csv']) === 'text/csv') {
          return sendCsv(response, {
            fileName: `turnkeeper-${month.label}-by-${by}.csv`,
            columns: view.columns,
            batches: linesOf(database, month, view),
            gone,
          });
        }
        const { items, nextCursor } = await view.list(database, { month, limit, cursor: cursor ?? null });
        return { status: 200, headers: { Vary: 'Accept' }, body: { items, nextCursor, month: month.label } };
      },
    }),
  ];
}

interface View {
  readonly columns: readonly string[];
  list(database: Database, page: { month: Month; limit: number; cursor: string | null }): Promise<Page<object>>;
}

const VIEWS = {
  day: { columns: Object.keys(dayUsage.shape), list: listDays },
  model: { columns: Object.keys(modelUsage.shape), list: listModels },
  label: { columns: Object.keys(labelUsage.shape), list: listLabels },
  turn: {
    columns: Object.keys(turnUsage.shape),
    async list(database, page) {
      const { items, nextCursor } = await listTurnUsage(database, page);
      return { items: items.map(({ bookedAt, ...turn }) => ({ ...turn, bookedAt: iso(bookedAt) })), nextCursor };
    },
  },
} as const satisfies Record<z.infer<typeof historyQuery>['by'], View>;

/** Pages continue after a key. What is booked meanwhile is newer than the first line, and changes no later line. */
async function* linesOf(database: Database, month: Month, { columns, list }: View): AsyncGenerator<Cell[][]> {
  for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
    const page: Page<object> = await list(database, { month, limit: BATCH, cursor });
    yield page.items.map((item) => columns.map((column) => cellOf((item as Record<string, unknown>)[column])));
    cursor = page.nextCursor;
  }
}

function cellOf(value: unknown): Cell {
  if (Array.isArray(value)) return value.join(' ');
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (value === null) return null;
  throw new Error('a CSV cell must be text, a number, a truth value or null');
}
