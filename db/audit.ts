import { sql } from 'kysely';
import type { AuditAction, AuditActor, AuditFigures, AuditTarget } from '../domain/audit.ts';
import { columnsOf } from './columns.ts';
import { AuditEntry as AuditEntity } from './entities/audit-entry.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from './page.ts';
import { one, type Database, type Tx } from './database.ts';

export interface AuditEntry {
  readonly actor: AuditActor;
  readonly action: AuditAction;
  readonly target: AuditTarget;
  /** In the admin's own words; null for what needs none (reading content). */
  readonly reason: string | null;
  readonly before?: AuditFigures | null;
  readonly after?: AuditFigures | null;
}

/** Writes the entry in the transaction of what it records: either both are there or neither is. @returns its id. */
export async function recordAudit(
  tx: Tx,
  { actor, action, target, reason, before = null, after = null }: AuditEntry,
): Promise<number> {
  const { id } = await one(
    sql<{ id: number }>`insert into audit_entries (admin_id, action, target, reason, before, after, request_id)
    values (${actor.adminId}, ${action}, ${target}, ${reason}, ${jsonOf(before)}, ${jsonOf(after)}, ${actor.requestId})
    returning id::float8 as id`,
    tx,
  );
  return id;
}

/** Instant in milliseconds. */
export interface AuditRecord {
  readonly id: number;
  readonly adminId: number | null;
  readonly action: string;
  readonly target: string;
  readonly reason: string | null;
  readonly before: AuditFigures | null;
  readonly after: AuditFigures | null;
  readonly requestId: string | null;
  readonly createdAt: number;
}

export interface AuditFilter {
  readonly adminId?: number | undefined;
  readonly action?: string | undefined;
  /** Whole: `turn:<id>`, `user:<id>`. */
  readonly target?: string | undefined;
}

/** Newest first. */
export async function listAudit(
  database: Database,
  { filter, limit, cursor }: { filter: AuditFilter; limit: number; cursor: string | null },
): Promise<Page<AuditRecord>> {
  const conditions = [
    ...(filter.adminId === undefined ? [] : [sql`admin_id = ${filter.adminId}`]),
    ...(filter.action === undefined ? [] : [sql`action = ${filter.action}`]),
    ...(filter.target === undefined ? [] : [sql`target = ${filter.target}`]),
    ...(cursor === null ? [] : [sql`id < ${decodeCursor(cursor, ['number'])[0]}`]),
  ];
  const { rows } = await sql<AuditRecord>`
    select ${auditColumns} from audit_entries a ${conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`}
    order by id desc limit ${limit + 1}`
    .execute(database.sql)
    .catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ id }) => encodeCursor([id]));
}

const auditColumns = columnsOf(AuditEntity, 'a', [
  'id',
  'adminId',
  'action',
  'target',
  'reason',
  'before',
  'after',
  'requestId',
  'createdAt',
]);

function jsonOf(figures: AuditFigures | null): string | null {
  return figures === null ? null : JSON.stringify(figures);
}
