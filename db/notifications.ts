import { sql } from 'kysely';
import type { AlertLevel } from '../domain/alerts.ts';
import type { Instant } from '../domain/period.ts';
import { one, type Tx } from './database.ts';

export interface NewNotification {
  readonly userId: number;
  readonly alertId: number;
  readonly level: AlertLevel;
  readonly title: string;
  readonly body: string;
  readonly purchaseUrl: string;
  readonly now: Instant;
}

/** Written with one outbox row a channel; in the app it is delivered by being there. */
export async function insertNotification(tx: Tx, { userId, alertId, level, title, body, purchaseUrl, now }: NewNotification): Promise<number> {
  const { id } = await one(sql<{ id: number }>`with told as (
      insert into notifications (user_id, alert_id, level, title, body, purchase_url, created_at)
      values (${userId}, ${alertId}, ${level}, ${title}, ${body}, ${purchaseUrl}, ${new Date(now)}) returning id
    ), delivered as (
      insert into deliveries (notification_id, channel, state, attempts, due_at, ended_at) select id, 'in_app', 'delivered', 1, ${new Date(now)}, ${new Date(now)} from told
    )
    select id::float8 as id from told`, tx);
  return id;
}
