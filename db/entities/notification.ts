import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { ALERT_LEVELS } from '../../domain/alerts.ts';
import { Alert } from './alert.ts';
import { sqlIndex } from './postgres.ts';
import { User } from './user.ts';

export const Notification = defineEntity({
  name: 'Notification',
  tableName: 'notifications',
  properties: {
    id: p.bigint('number').primary().generated('identity'),
    user: () => p.manyToOne(User),
    alert: () => p.manyToOne(Alert),
    level: p.enum(ALERT_LEVELS),
    title: p.text(),
    body: p.text(),
    purchaseUrl: p.text(),
    createdAt: p.datetime(),
    readAt: p.datetime().nullable(),
  },
  uniques: [{ name: 'notifications_one_a_reader_and_alert', properties: ['alert', 'user'] }],
  indexes: [
    sqlIndex('notifications_newest_of_user', 'notifications (user_id, id desc)'),
    sqlIndex('notifications_unread_of_user', 'notifications (user_id, id desc) where read_at is null'),
  ],
});
export type Notification = InferEntity<typeof Notification>;

/** One channel through which a notification leaves, and how far its delivery is. */
export const Delivery = defineEntity({
  name: 'Delivery',
  tableName: 'deliveries',
  properties: {
    notification: () => p.manyToOne(Notification).primary(),
    channel: p.text().primary(),
    state: p.enum(['pending', 'delivered', 'failed']).default('pending'),
    attempts: p.integer().default(0),
    dueAt: p.datetime(),
    endedAt: p.datetime().nullable(),
    errorCode: p.text().nullable(),
  },
  checks: [
    { name: 'deliveries_channel_is_a_word', expression: "channel ~ '^[a-z_]+$'" },
    { name: 'deliveries_end_when_they_are_over', expression: "(ended_at is null) = (state = 'pending')" },
  ],
  indexes: [{ name: 'deliveries_due', properties: ['channel', 'dueAt'], where: "state = 'pending'" }],
});
export type Delivery = InferEntity<typeof Delivery>;
