import type { AuditAction, AuditActor, AuditFigures, AuditTarget } from '../domain/audit.ts';
import type { Database, Tx } from './database.ts';
import { AuditEntry } from './entities/audit-entry.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from './page.ts';

export interface NewAuditEntry {
  readonly actor: AuditActor;
  readonly action: AuditAction;
  readonly target: AuditTarget;
  /** The admin's own words; null for an action that needs no reason (reading content). */
  readonly reason: string | null;
  readonly before?: AuditFigures | null;
  readonly after?: AuditFigures | null;
}

/** Writes the entry in the transaction that it records: either both are committed or neither is. @returns its id. */
export async function writeAudit(tx: Tx, { actor, ...what }: NewAuditEntry): Promise<number> {
  const em = tx.em();
  const entry = em.create(AuditEntry, { ...what, admin: actor.adminId, requestId: actor.requestId });
  await em.flush();
  return entry.id;
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
  /** The whole target: `turn:<id>`, `user:<id>`. */
  readonly target?: string | undefined;
}

/** Newest first. */
export async function listAudit(
  database: Database,
  { filter: { adminId, action, target }, limit, cursor }: { filter: AuditFilter; limit: number; cursor: string | null },
): Promise<Page<AuditRecord>> {
  const found = await database
    .em()
    .find(
      AuditEntry,
      {
        ...(adminId === undefined ? {} : { admin: adminId }),
        ...(action === undefined ? {} : { action }),
        ...(target === undefined ? {} : { target }),
        ...(cursor === null ? {} : { id: { $lt: decodeCursor(cursor, ['number'])[0] } }),
      },
      { orderBy: { id: 'desc' }, limit: limit + 1 },
    )
    .catch(rethrowBadCursor);
  return pageOf(found.map(recordOf), limit, ({ id }) => encodeCursor([id]));
}

function recordOf({ admin, createdAt, id, action, target, reason, before, after, requestId }: AuditEntry): AuditRecord {
  return {
    id,
    adminId: admin?.id ?? null,
    action,
    target,
    reason: reason ?? null,
    before: before ?? null,
    after: after ?? null,
    requestId: requestId ?? null,
    createdAt: createdAt.getTime(),
  };
}
