import { sql, type RawBuilder } from 'kysely';
import type { AuditActor } from '../../domain/audit.ts';
import type { Channel } from '../../domain/channels/kinds.ts';
import type { DeliveryFilter, DeliveryState } from '../../domain/channels/resend.ts';
import { AppError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/period.ts';
import { writeAudit } from '../audit.ts';
import { first, type Database, type Sql } from '../database.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { requeue } from './requeue.ts';

/** A delivery as an admin sees it. Instants in milliseconds. */
export interface DeliveryRecord {
  readonly deliveryId: string;
  readonly userId: number;
  readonly kind: string;
  readonly channel: Channel;
  readonly state: DeliveryState;
  /** The e-mail address, or the host of the webhook, whose path may be a secret; empty: in the app, or erased. */
  readonly to: string;
  readonly attempts: number;
  readonly error: string | null;
  readonly answer: string | null;
  readonly createdAt: Instant;
  readonly queuedAt: Instant;
  readonly dueAt: Instant | null;
  readonly endedAt: Instant | null;
}

export interface DeliveryList {
  readonly filter: Omit<DeliveryFilter, 'channel'> & {
    readonly channel?: Channel | undefined;
    readonly state?: DeliveryState | undefined;
    readonly resendId?: string | undefined;
  };
  readonly limit: number;
  readonly cursor: string | null;
}

/** Newest notification first. */
export async function listDeliveriesOfAll(on: Sql, list: DeliveryList): Promise<Page<DeliveryRecord>> {
  const { rows } = await selectDeliveries(list).execute(on).catch(rethrowBadCursor);
  return pageOf(rows, list.limit, ({ notificationId, deliveryId }) => encodeCursor([notificationId, deliveryId]));
}

const at = (column: string) => sql.raw(`floor(extract(epoch from ${column}) * 1000)::float8`);

/** Exported for the test that checks the query plan. */
export function selectDeliveries({ filter, limit, cursor }: DeliveryList) {
  const after = cursor === null ? null : decodeCursor(cursor, ['number', 'string']);
  return sql<DeliveryRecord & { notificationId: number }>`
    select d.id as "deliveryId", n.user_id::float8 as "userId", n.kind, d.channel, d.state, d.attempts, d.error_code as error, d.answer,
      d.notification_id::float8 as "notificationId", ${at('n.created_at')} as "createdAt", ${at('d.queued_at')} as "queuedAt",
      case when d.state = 'pending' then ${at('d.due_at')} end as "dueAt", ${at('d.ended_at')} as "endedAt",
      case d.channel when 'webhook' then coalesce((select substring(e.url from '^https?://([^/]+)') from webhook_endpoints e
        where e.id::text = d.address), '') else d.address end as "to"
    from deliveries d join notifications n on n.id = d.notification_id
    where ${matches(filter)}
      ${after === null ? sql`` : sql`and (d.notification_id, d.id) < (${after[0]}::bigint, ${after[1]}::uuid)`}
    order by d.notification_id desc, d.id desc limit ${limit + 1}`;
}

/** A condition on a delivery `d` and its notification `n`. */
export function matches({
  kind,
  channel,
  userId,
  from,
  to,
  state,
  resendId,
}: DeliveryList['filter']): RawBuilder<boolean> {
  const conditions = [
    sql`true`,
    ...(state === undefined ? [] : [sql`d.state = ${state}`]),
    ...(channel === undefined ? [] : [sql`d.channel = ${channel}`]),
    ...(kind === undefined ? [] : [sql`n.kind = ${kind}`]),
    ...(userId === undefined ? [] : [sql`n.user_id = ${userId}`]),
    ...(from === undefined ? [] : [sql`d.queued_at >= ${new Date(from)}`]),
    ...(to === undefined ? [] : [sql`d.queued_at < ${new Date(to)}`]),
    ...(resendId === undefined
      ? []
      : [sql`d.id in (select delivery_id from resend_deliveries where resend_id = ${resendId})`]),
  ];
  return sql`${sql.join(conditions, sql` and `)}`;
}

/**
 * An admin sends one once more, whatever it came to, under the same id.
 * @throws AppError not_found, also of what is in the app only.
 */
export async function resendOne(
  database: Database,
  { deliveryId, reason, actor }: { deliveryId: string; reason: string; actor: AuditActor },
): Promise<void> {
  await database.transaction(async (tx) => {
    const found = await first(
      sql<{ userId: number; kind: string; channel: string; state: string; attempts: number }>`
        select n.user_id::float8 as "userId", n.kind, d.channel, d.state, d.attempts
        from deliveries d join notifications n on n.id = d.notification_id
        where d.id = ${deliveryId} and d.channel <> 'in_app' for no key update of d`,
      tx,
    );
    if (found === null) throw new AppError('not_found');
    await requeue(tx, [deliveryId]);
    const { state, attempts, ...what } = found;
    await writeAudit(tx, {
      actor,
      action: 'delivery.resend',
      target: `delivery:${deliveryId}`,
      reason,
      before: { state, attempts },
      after: what,
    });
  });
}
