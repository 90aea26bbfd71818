import { sql, type RawBuilder } from 'kysely';
import type { AlertLevel } from '../../domain/alerts.ts';
import { isSwitchable, type NotificationKind } from '../../domain/channels/kinds.ts';
import { letterOf, type Told } from '../../domain/channels/letters.ts';
import type { Locale } from '../../domain/messages.ts';
import type { Instant } from '../../domain/period.ts';
import type { Sql, Tx } from '../database.ts';
import { addressOf, isEntitled, isSuppressed } from './targets.ts';

/** Which channels lead out of this installation. A channel that is off gets no row, so that nothing piles up. */
export interface Outward {
  readonly email: boolean;
  readonly webhook: boolean;
}

export interface NewNotification {
  readonly userId: number;
  readonly told: Told;
  readonly locale: Locale;
  readonly purchaseUrl: string;
  readonly now: Instant;
  readonly outward: Outward;
  /** Of an alert: it is shown in the app, with a text of its own. */
  readonly alert?: {
    readonly alertId: number;
    readonly level: AlertLevel;
    readonly title: string;
    readonly body: string;
  };
  /** What any other is about: it is told once a reader, kind and key. */
  readonly key?: string;
  /** When the mail leaves; absent: now. A server is told at once: it sleeps at no hour. */
  readonly dueAt?: Instant;
  /** An address that is still to be confirmed; absent: the person's. */
  readonly to?: string;
}

/**
 * Writes a notification with one row a channel and address, in the transaction that decides it. In the app it is
 * delivered by being there; the others are started by `startDeliveries` after the commit (G52).
 * @returns `notificationId` null when it has been told before.
 */
export async function writeNotification(
  tx: Tx,
  { userId, told, locale, purchaseUrl, now, outward, alert, key, to, dueAt = now }: NewNotification,
): Promise<{ notificationId: number | null; deliveryIds: readonly string[] }> {
  const { kind, figures } = told;
  const { title, body } = alert ?? textOf(told, locale);
  const at = new Date(now);
  const due = new Date(dueAt);
  const target = to === undefined ? addressOf(userId) : sql`(select ${to}::text as email)`;
  // A mail that asks to confirm an address goes to any.
  const may =
    to === undefined ? sql<boolean>`(${isMailOn({ userId, kind })} and not ${isSuppressed(sql`r.email`)})` : sql`true`;
  // One statement, because the account is locked meanwhile.
  const { rows } = await sql<{ id: number; deliveryIds: string[] }>`with told as (
      insert into notifications (user_id, alert_id, level, kind, key, locale, figures, title, body, purchase_url, created_at)
      values (${userId}, ${alert?.alertId ?? null}, ${alert?.level ?? null}, ${kind}, ${key ?? null}, ${locale},
        ${JSON.stringify(figures)}::jsonb, ${title}, ${body}, ${purchaseUrl}, ${at})
      on conflict (user_id, kind, key) where key is not null do nothing returning id
    ), shown as (
      insert into deliveries (notification_id, channel, state, attempts, due_at, queued_at, ended_at)
      select id, 'in_app', 'delivered', 1, ${at}, ${at}, ${at} from told where ${alert !== undefined}::boolean
    ), mailed as (
      insert into deliveries (notification_id, channel, address, due_at, queued_at)
      select told.id, 'email', r.email, ${due}, ${at} from told, ${target} r
      where ${outward.email}::boolean and r.email is not null and ${may} returning id
    ), hooked as (
      insert into deliveries (notification_id, channel, address, due_at, queued_at)
      select told.id, 'webhook', e.id::text, ${at}, ${at} from told, webhook_endpoints e
      where ${outward.webhook}::boolean and ${isToldOf({ userId, kind })} returning id
    )
    select id::float8 as id, array(select id::text from mailed union all select id::text from hooked) as "deliveryIds" from told`.execute(
    tx,
  );
  const [notification] = rows;
  return notification === undefined
    ? { notificationId: null, deliveryIds: [] }
    : { notificationId: notification.id, deliveryIds: notification.deliveryIds };
}

function textOf(told: Told, locale: Locale): { title: string; body: string } {
  const { subject, paragraphs } = letterOf(told, locale);
  return { title: subject, body: paragraphs.join(' ') };
}

/** Whether the person has not switched mails of this kind off. */
export function isMailOn({ userId, kind }: { userId: number; kind: NotificationKind }): RawBuilder<boolean> {
  if (!isSwitchable(kind)) return sql`true`;
  return sql`not exists (select 1 from notification_preferences p
    where p.user_id = ${userId} and p.kind = ${kind} and p.channel = 'email' and not p.enabled)`;
}

/** Whether an endpoint `e` is told of an event of this person's. */
export function isToldOf({ userId, kind }: { userId: number; kind: string }): RawBuilder<boolean> {
  return sql`(e.state = 'enabled' and e.deleted_at is null and ${kind} = any(e.events)
    and (e.user_id = ${userId} or e.scope = 'operator') and ${isEntitled})`;
}

interface StartableDelivery {
  readonly deliveryId: string;
  readonly userId: number;
  readonly channel: string;
  readonly kind: NotificationKind;
  /** How long it is until it is due, milliseconds; 0: it is. */
  readonly waitMs: number;
}

const startable = (on: Sql) => sql`d.id as "deliveryId", n.user_id::float8 as "userId", d.channel, n.kind,
  ceil(greatest(0, extract(epoch from d.due_at - ${on.clock()}) * 1000))::float8 as "waitMs"
  from deliveries d join notifications n on n.id = d.notification_id`;

/** What is told of deliveries when they are started. */
export async function findDeliveries(on: Sql, deliveryIds: readonly string[]): Promise<StartableDelivery[]> {
  const { rows } =
    await sql<StartableDelivery>`select ${startable(on)} where d.id = any(${deliveryIds}::uuid[])`.execute(on);
  return rows;
}

/** Deliveries that are due for `quietMs` and not begun: their start was lost, or Temporal's data. */
export async function findOverdue(
  on: Sql,
  { quietMs, limit }: { quietMs: number; limit: number },
): Promise<StartableDelivery[]> {
  const { rows } = await sql<StartableDelivery>`select ${startable(on)}
    where d.state = 'pending' and d.due_at < ${on.clock()} - ${quietMs}::float8 * interval '1 millisecond'
    order by d.due_at limit ${limit}`.execute(on);
  return rows;
}
