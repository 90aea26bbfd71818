import { LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { AuditActor, AuditFigures } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/period.ts';
import {
  countTurns,
  isOver,
  REDRIVE_STEPS,
  type RedriveProgress,
  type RedriveState,
  type RedriveStep,
} from '../../domain/redrive.ts';
import type { TurnFilter } from '../../domain/turn-filter.ts';
import { writeAudit } from '../audit.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, type Database, type Sql, type Tx } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { Redrive } from '../entities/redrive.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { candidates, planRedrive, type RedrivePlan, type RedriveRequest } from './plan.ts';
import { countProgress } from './redrive-turns.ts';

export interface StartRedrive extends RedriveRequest {
  readonly reason: string;
  readonly ratePerSecond: number;
  /** The count that a dry run returned, repeated by the admin. Needed for more than one turn. */
  readonly confirm: number | null;
  readonly actor: AuditActor;
  /** The same key and request of an admin is the same redrive. */
  readonly repeat?: { readonly key: string; readonly requestHash: Buffer } | undefined;
}

/** Any constant will do, if nobody else's advisory lock has it. */
const CREATE_LOCK = 7_266_533_002;

/**
 * Records which turns will be replayed, oldest first. The caller starts the redrive's workflow. Redrives are made one
 * after the other, so that each sees which turns the one before it has taken: one at a time may hold a turn.
 * @returns `redriveId` null when there is nothing to do; `repeated`: the key was known, so it is the first redrive.
 * @throws AppError confirm_required with the plan; idempotency_conflict (the key started another). OutcomeUnknown with
 *   `redriveId`.
 */
export async function createRedrive(database: Database, start: StartRedrive): Promise<CreatedRedrive> {
  const redriveId = uuidv7();
  return naming({ redriveId }, () =>
    database.transaction(async (tx) => {
      await sql`select pg_advisory_xact_lock(${CREATE_LOCK})`.execute(tx);
      const known = await findRepeated(tx, start);
      if (known !== null) return known;
      const plan = await planRedrive(tx, start);
      const { count, matched, skipped } = plan;
      if (start.confirm === null ? count > 1 : start.confirm !== count)
        throw new AppError('confirm_required', { ...plan });
      if (count === 0) return { redriveId: null, plan };
      const { actor, reason, ratePerSecond, includeSuperseded, limit, repeat } = start;
      const em = tx.em();
      em.create(Redrive, {
        id: redriveId,
        admin: actor.adminId,
        filter: start.filter,
        reason,
        includeSuperseded,
        ratePerSecond,
        idempotencyKey: repeat?.key ?? null,
        requestHash: repeat?.requestHash ?? null,
      });
      await em.flush();
      const written = await sql`with ${candidates(start)}
      insert into redrive_turns (redrive_id, turn_id, position)
      select ${redriveId}::uuid, id, row_number() over (order by created_at, id) from candidates where not suspended and not superseded and not api
      order by created_at, id limit ${limit}`.execute(tx);
      // A turn may have failed, or been retried, between the two statements. Only the confirmed number of turns is
      // replayed.
      if (Number(written.numAffectedRows) !== count)
        throw new AppError('confirm_required', { ...(await planRedrive(tx, start)) });
      await writeAudit(tx, {
        actor,
        action: 'redrive.start',
        target: `redrive:${redriveId}`,
        reason,
        after: { count, matched, ...skipped, ratePerSecond, limit, includeSuperseded, ...figuresOf(start.filter) },
      });
      return { redriveId, plan, repeated: false };
    }),
  );
}

export type CreatedRedrive =
  | { readonly redriveId: string; readonly plan: Pick<RedrivePlan, 'count'>; readonly repeated: boolean }
  | { readonly redriveId: null; readonly plan: RedrivePlan };

async function findRepeated(tx: Tx, { actor, repeat }: StartRedrive): Promise<CreatedRedrive | null> {
  if (repeat === undefined) return null;
  const known = await first(
    sql<{ redriveId: string; requestHash: Buffer }>`
      select ${columnsOf(Redrive, 'r', { redriveId: 'id', requestHash: 'requestHash' })} from redrives r
      where admin_id = ${actor.adminId} and idempotency_key = ${repeat.key}`,
    tx,
  );
  if (known === null) return null;
  if (!repeat.requestHash.equals(known.requestHash)) throw new AppError('idempotency_conflict');
  const { progress } = await getRedrive(tx, known.redriveId);
  return { redriveId: known.redriveId, plan: { count: countTurns(progress) }, repeated: true };
}

function figuresOf(filter: TurnFilter): AuditFigures {
  return Object.fromEntries(
    Object.entries(filter).flatMap(([name, value]) =>
      value === undefined ? [] : [[`filter.${name}`, value as string | number | boolean]],
    ),
  );
}

/** Instants in milliseconds. */
export interface RedriveRecord {
  readonly redriveId: string;
  readonly adminId: number | null;
  readonly state: RedriveState;
  readonly filter: TurnFilter;
  readonly reason: string;
  readonly includeSuperseded: boolean;
  readonly ratePerSecond: number;
  readonly createdAt: Instant;
  readonly endedAt: Instant | null;
  readonly progress: RedriveProgress;
}

type RedriveRow = RowOf<typeof redriveColumns>;

export async function findRedrive(on: Sql, redriveId: string): Promise<RedriveRecord | null> {
  const row = await first(sql<RedriveRow>`select ${redriveColumns} from redrives r where id = ${redriveId}`, on);
  return row === null ? null : withProgress(on, row);
}

/** @throws AppError not_found. */
export async function getRedrive(on: Sql, redriveId: string): Promise<RedriveRecord> {
  const found = await findRedrive(on, redriveId);
  if (found === null) throw new AppError('not_found');
  return found;
}

/** Newest first. */
export async function listRedrives(
  database: Database,
  { limit, cursor }: { limit: number; cursor: string | null },
): Promise<Page<RedriveRecord>> {
  const after = cursor === null ? null : decodeCursor(cursor, ['string', 'string']);
  const { rows } = await sql<
    RedriveRow & { key: string }
  >`select ${redriveColumns}, created_at::text as key from redrives r
    ${after === null ? sql`` : sql`where (created_at, id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`}
    order by created_at desc, id desc limit ${limit + 1}`
    .execute(database.reads)
    .catch(rethrowBadCursor);
  const page = pageOf(rows, limit, (row) => encodeCursor([row.key, row.redriveId]));
  return {
    ...page,
    items: await Promise.all(page.items.map(({ key: _, ...row }) => withProgress(database.reads, row))),
  };
}

/** Those not over, oldest first, that were begun so long ago that their workflow must have been started. */
export async function findUnfinishedRedrives(on: Sql, { quietMs }: { quietMs: number }): Promise<RedriveRecord[]> {
  const { rows } = await sql<RedriveRow>`select ${redriveColumns} from redrives r
    where ended_at is null and created_at < now() - ${quietMs} * interval '1 millisecond' order by created_at`.execute(
    on,
  );
  return Promise.all(rows.map((row) => withProgress(on, row)));
}

async function withProgress(on: Sql, row: RedriveRow): Promise<RedriveRecord> {
  return { ...row, progress: await countProgress(on, row.redriveId, row.state) };
}

const AUDITED = {
  paused: 'redrive.pause',
  running: 'redrive.resume',
  cancelling: 'redrive.cancel',
} as const satisfies Record<RedriveStep, string>;

/**
 * Pauses, resumes or cancels. A redrive that is over, or has that state already, stays as it is. The row decides, and
 * the redrive's workflow reads it. @throws AppError not_found.
 */
export async function moveRedrive(
  database: Database,
  {
    redriveId,
    to,
    actor,
    reason,
  }: { redriveId: string; to: RedriveStep; actor: AuditActor | null; reason: string | null },
): Promise<RedriveState> {
  return database.transaction(async (tx) => {
    const redrive = await lockRedrive(tx, redriveId);
    const before = redrive.state;
    if ((REDRIVE_STEPS[to] as readonly RedriveState[]).includes(before)) redrive.state = to;
    if (actor !== null)
      await writeAudit(tx, {
        actor,
        action: AUDITED[to],
        target: `redrive:${redriveId}`,
        reason,
        before: { state: before },
        after: { state: redrive.state },
      });
    return redrive.state;
  });
}

/** Ends a redrive in which nothing runs and nothing more will be begun. @returns its state now. */
export async function endRedrive(database: Database, redriveId: string): Promise<RedriveState> {
  return database.transaction(async (tx) => {
    const redrive = await lockRedrive(tx, redriveId);
    const { state } = redrive;
    if (isOver(redrive)) return state;
    const { running, waiting } = await countProgress(tx, redriveId, state);
    const end = running > 0 ? null : state === 'cancelling' ? 'cancelled' : waiting === 0 ? 'completed' : null;
    if (end !== null) {
      redrive.state = end;
      redrive.endedAt = new Date();
    }
    return redrive.state;
  });
}

async function lockRedrive(tx: Tx, redriveId: string): Promise<Redrive> {
  const redrive = await tx.em().findOne(Redrive, { id: redriveId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (redrive === null) throw new AppError('not_found');
  return redrive;
}

const redriveColumns = columnsOf(Redrive, 'r', {
  redriveId: 'id',
  adminId: 'adminId',
  state: 'state',
  filter: 'filter',
  reason: 'reason',
  includeSuperseded: 'includeSuperseded',
  ratePerSecond: 'ratePerSecond',
  createdAt: 'createdAt',
  endedAt: 'endedAt',
});
