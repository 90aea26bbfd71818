import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { AuditActor } from '../../domain/audit.ts';
import type { DeliveryFilter, ResendProgress } from '../../domain/channels/resend.ts';
import { AppError } from '../../domain/errors.ts';
import { writeAudit } from '../audit.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, one, type Database, type Sql, type Tx } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { Resend } from '../entities/channels/resend.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { matches } from './admin-deliveries.ts';
import { requeue } from './requeue.ts';

export interface ResendRequest {
  readonly filter: DeliveryFilter;
  readonly limit: number;
}

/** What a resend would do: send `count` of the `matched` failed deliveries. */
export interface ResendPlan {
  readonly count: number;
  readonly matched: number;
}

export interface StartResend extends ResendRequest {
  readonly reason: string;
  readonly ratePerSecond: number;
  /** The count that a dry run returned, repeated by the admin. Needed for more than one. */
  readonly confirm: number | null;
  readonly actor: AuditActor;
  /** The same key and request of an admin is the same resend. */
  readonly repeat?: { readonly key: string; readonly requestHash: Buffer } | undefined;
}

/** Failed deliveries that match and that no resend under way has. */
function candidates({ filter }: ResendRequest) {
  return sql`candidates as materialized (
    select d.id, d.notification_id from deliveries d join notifications n on n.id = d.notification_id
    where ${matches({ ...filter, state: 'failed' })} and d.channel <> 'in_app' and not exists (
      select 1 from resend_deliveries i join resends r on r.id = i.resend_id
      where i.delivery_id = d.id and i.begun_at is null and r.ended_at is null)
  )`;
}

export async function planResend(on: Sql, request: ResendRequest): Promise<ResendPlan> {
  const { matched } = await one(
    sql<{ matched: number }>`with ${candidates(request)} select count(*)::int as matched from candidates`,
    on,
  );
  return { count: Math.min(matched, request.limit), matched };
}

/** Any constant will do, if nobody else's advisory lock has it. */
const CREATE_LOCK = 7_266_533_003;

export type CreatedResend =
  | { readonly resendId: string; readonly count: number; readonly repeated: boolean }
  | { readonly resendId: null; readonly plan: ResendPlan };

/**
 * Writes down which deliveries are sent once more, oldest first; the caller starts the workflow. One is made after the
 * other, so that each sees what the one before it has taken.
 * @returns `resendId` null when there is nothing to do.
 * @throws AppError confirm_required with the plan; idempotency_conflict. OutcomeUnknown with `resendId`.
 */
export async function createResend(database: Database, start: StartResend): Promise<CreatedResend> {
  const resendId = uuidv7();
  return naming({ resendId }, () =>
    database.transaction(async (tx) => {
      await sql`select pg_advisory_xact_lock(${CREATE_LOCK})`.execute(tx);
      const known = await findRepeated(tx, start);
      if (known !== null) return known;
      const plan = await planResend(tx, start);
      const { count, matched } = plan;
      if (start.confirm === null ? count > 1 : start.confirm !== count)
        throw new AppError('confirm_required', { ...plan });
      if (count === 0) return { resendId: null, plan };
      const { actor, filter, reason, ratePerSecond, limit, repeat } = start;
      await sql`insert into resends (id, admin_id, filter, reason, rate_per_second, idempotency_key, request_hash)
        values (${resendId}, ${actor.adminId}, ${JSON.stringify(filter)}::jsonb, ${reason}, ${ratePerSecond},
          ${repeat?.key ?? null}, ${repeat?.requestHash ?? null})`.execute(tx);
      const written = await sql`with ${candidates(start)}
        insert into resend_deliveries (resend_id, delivery_id, position)
        select ${resendId}::uuid, id, row_number() over (order by notification_id, id) from candidates
        order by notification_id, id limit ${limit}`.execute(tx);
      // One may have failed, or been resent, between the two statements.
      if (Number(written.numAffectedRows) !== count)
        throw new AppError('confirm_required', { ...(await planResend(tx, start)) });
      await writeAudit(tx, {
        actor,
        action: 'delivery.resend_many',
        target: `resend:${resendId}`,
        reason,
        after: {
          count,
          matched,
          ratePerSecond,
          limit,
          ...Object.fromEntries(Object.entries(filter).map(([name, value]) => [`filter.${name}`, value ?? null])),
        },
      });
      return { resendId, count, repeated: false };
    }),
  );
}

async function findRepeated(tx: Tx, { actor, repeat }: StartResend): Promise<CreatedResend | null> {
  if (repeat === undefined) return null;
  const known = await first(
    sql<{ resendId: string; requestHash: Buffer; count: number }>`
      select ${columnsOf(Resend, 'r', { resendId: 'id', requestHash: 'requestHash' })},
        (select count(*)::int from resend_deliveries where resend_id = r.id) as count
      from resends r where admin_id = ${actor.adminId} and idempotency_key = ${repeat.key}`,
    tx,
  );
  if (known === null) return null;
  if (!repeat.requestHash.equals(known.requestHash)) throw new AppError('idempotency_conflict');
  return { resendId: known.resendId, count: known.count, repeated: true };
}

const columns = columnsOf(Resend, 'r', {
  resendId: 'id',
  adminId: 'adminId',
  filter: 'filter',
  reason: 'reason',
  ratePerSecond: 'ratePerSecond',
  createdAt: 'createdAt',
  endedAt: 'endedAt',
  state: 'state',
});
/** Instants in milliseconds. */
export type ResendRecord = Readonly<RowOf<typeof columns>> & Omit<ResendProgress, 'state'>;

function select(which: ReturnType<typeof sql>) {
  return sql<ResendRecord & { key: string }>`select ${columns}, r.created_at::text as key, p.* from resends r
    cross join lateral (
      select count(*) filter (where i.begun_at is null)::int as waiting,
        count(*) filter (where i.begun_at is not null and d.state = 'pending')::int as sending,
        count(*) filter (where i.begun_at is not null and d.state = 'delivered')::int as delivered,
        count(*) filter (where i.begun_at is not null and d.state = 'failed')::int as failed
      from resend_deliveries i join deliveries d on d.id = i.delivery_id where i.resend_id = r.id
    ) p ${which}`;
}

export async function findResend(on: Sql, resendId: string): Promise<ResendRecord | null> {
  return first(select(sql`where r.id = ${resendId}`), on);
}

/** @throws AppError not_found. */
export async function getResend(on: Sql, resendId: string): Promise<ResendRecord> {
  const found = await findResend(on, resendId);
  if (found === null) throw new AppError('not_found');
  return found;
}

/** Newest first. */
export async function listResends(
  on: Sql,
  { limit, cursor }: { limit: number; cursor: string | null },
): Promise<Page<ResendRecord>> {
  const after = cursor === null ? null : decodeCursor(cursor, ['string', 'string']);
  const { rows } = await select(
    sql`${after === null ? sql`` : sql`where (r.created_at, r.id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`}
      order by r.created_at desc, r.id desc limit ${limit + 1}`,
  )
    .execute(on)
    .catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ key, resendId }) => encodeCursor([key, resendId]));
}

/** Those not over, oldest first, that were begun so long ago that their workflow must have been started. */
export async function findUnfinishedResends(on: Sql, { quietMs }: { quietMs: number }): Promise<ResendRecord[]> {
  const { rows } = await select(
    sql`where r.ended_at is null and r.created_at < now() - ${quietMs} * interval '1 millisecond' order by r.created_at`,
  ).execute(on);
  return rows;
}

/**
 * Begins the next ones anew, oldest first, and ends the resend when none is left. What was begun meanwhile by somebody
 * else, or has arrived, is not sent again.
 * @returns those to start.
 */
export async function beginResending(
  database: Database,
  { resendId, most }: { resendId: string; most: number },
): Promise<readonly string[]> {
  return database.transaction(async (tx) => {
    const resend = await first(
      sql`select 1 from resends where id = ${resendId} and state = 'running' for no key update`,
      tx,
    );
    if (resend === null) return [];
    const { rows } = await sql<{ deliveryId: string; state: string }>`
      update resend_deliveries i set begun_at = ${tx.clock()} from deliveries d
      where i.resend_id = ${resendId} and d.id = i.delivery_id and i.position in (
        select position from resend_deliveries where resend_id = ${resendId} and begun_at is null order by position limit ${most})
      returning i.delivery_id as "deliveryId", d.state`.execute(tx);
    const failed = rows.filter(({ state }) => state === 'failed').map(({ deliveryId }) => deliveryId);
    await requeue(tx, failed);
    await sql`update resends set state = 'completed', ended_at = ${tx.clock()} where id = ${resendId}
      and not exists (select 1 from resend_deliveries where resend_id = ${resendId} and begun_at is null)`.execute(tx);
    return failed;
  });
}

/** What is not begun stays as it is. One that is over stays so. @throws AppError not_found. */
export async function cancelResend(
  database: Database,
  { resendId, actor, reason }: { resendId: string; actor: AuditActor | null; reason: string | null },
): Promise<void> {
  await database.transaction(async (tx) => {
    const found = await first(
      sql<{ state: string }>`select state from resends where id = ${resendId} for no key update`,
      tx,
    );
    if (found === null) throw new AppError('not_found');
    const after = found.state === 'running' ? 'cancelled' : found.state;
    if (after !== found.state)
      await sql`update resends set state = ${after}, ended_at = ${tx.clock()} where id = ${resendId}`.execute(tx);
    if (actor !== null)
      await writeAudit(tx, {
        actor,
        action: 'delivery.cancel_resend',
        target: `resend:${resendId}`,
        reason,
        before: { state: found.state },
        after: { state: after },
      });
  });
}
