import { listAudit, type AuditRecord } from '../../db/audit.ts';
import type { AuditActor } from '../../domain/audit.ts';
import { parseId } from '../../domain/text.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { columnsOfTable, CSV_OF_TABLE, sendTable, VARY, wantsCsv } from '../http/csv.ts';
import { requestIdOf } from '../http/errors.ts';
import { withNames } from '../present/person.ts';
import { iso } from '../present/turn.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { auditItem, auditPage, auditQuery } from '../wire/audit.ts';

export function auditRoutes({ database }: Pick<ApiDeps, 'database'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/admin/audit',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'What admins did and whose content they read, newest first',
      query: auditQuery,
      answers: { 200: { description: 'A page', body: auditPage, csv: CSV_OF_TABLE } },
      errors: [],
      async handle(caller, { query: { limit, cursor, ...filter } }) {
        const list = async (wanted: { limit: number; cursor: string | null }) => {
          const page = await listAudit(database, { filter, ...wanted });
          const items = page.items.map(({ createdAt, ...entry }) => ({ ...entry, createdAt: iso(createdAt) }));
          return {
            ...page,
            items: await withNames(database.reads, items, { admin: ({ adminId }) => adminId, about: aboutOf }),
          };
        };
        if (wantsCsv(caller.request))
          return sendTable(caller, { name: 'audit', columns: columnsOfTable(auditItem.shape), list });
        return { status: 200, headers: VARY, body: await list({ limit, cursor: cursor ?? null }) };
      },
    }),
  ];
}

/** Whom the audit log names for what this request does. */
export function actorOf({ principal, response }: Caller): AuditActor {
  return { adminId: principal.userId, requestId: requestIdOf(response) };
}

/** Whom an entry is about: by its target, or by the figures of what was done. */
function aboutOf({ target, after }: Pick<AuditRecord, 'target' | 'after'>): number | null {
  const [kind, id = ''] = target.split(':');
  if (kind === 'user') return parseId(id);
  return typeof after?.['userId'] === 'number' ? after['userId'] : null;
}
