import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { ALERT_LEVELS } from '../../domain/alerts.ts';
import type { NotificationKind } from '../../domain/channels/kinds.ts';
import type { Told } from '../../domain/channels/letters.ts';
import { LOCALES } from '../../domain/messages.ts';
import { Alert } from './alert.ts';
import { sqlIndex } from './postgres.ts';
import { User } from './user.ts';

export const Notification = defineEntity({
  name: 'Notification',
  tableName: 'notifications',
  properties: {
    id: p.bigint('number').primary().generated('identity'),
    user: () => p.manyToOne(User),
    /** What made it, and its level: of alerts alone. */
    alert: () => p.manyToOne(Alert).nullable().updateRule('no action').deleteRule('no action'),
    level: p.enum(ALERT_LEVELS).nullable(),
    kind: p.text().$type<NotificationKind>().default('usage.alert'),
    /** What it is about, once a reader and kind; null: its alert says so. */
    key: p.text().nullable(),
    /** The reader's language then. */
    locale: p.enum(LOCALES).default('ko'),
    /** What its letters are written from: ids, figures and words of ours. */
    figures: p.json<Told['figures']>().nullable(),
    title: p.text(),
    body: p.text(),
    purchaseUrl: p.text(),
    createdAt: p.datetime(),
    readAt: p.datetime().nullable(),
  },
  uniques: [
    { name: 'notifications_one_a_reader_and_alert', properties: ['alert', 'user'] },
    { name: 'notifications_one_a_reader_and_key', properties: ['user', 'kind', 'key'], where: 'key is not null' },
  ],
  checks: [
    { name: 'notifications_kind_is_a_word', expression: "kind ~ '^[a-z]+\\.[a-z_]+$'" },
    {
      name: 'notifications_alerts_have_a_level',
      expression: '(alert_id is null) = (level is null) and (alert_id is null) = (key is not null)',
    },
  ],
  indexes: [
    sqlIndex('notifications_newest_of_user', 'notifications (user_id, id desc)'),
    { name: 'notifications_of_kind', properties: ['kind', 'id'] },
    sqlIndex('notifications_unread_of_user', 'notifications (user_id, id desc) where read_at is null'),
  ],
});
export type Notification = InferEntity<typeof Notification>;

/** One notification on its way to one address, and how far it is. */
export const Delivery = defineEntity({
  name: 'Delivery',
  tableName: 'deliveries',
  properties: {
    id: p.uuid().primary().defaultRaw('gen_random_uuid()'),
    notification: () => p.manyToOne(Notification),
    channel: p.text(),
    /** An e-mail address; empty for what goes nowhere else. */
    address: p.text().default(''),
    state: p.enum(['pending', 'delivered', 'failed']).default('pending'),
    attempts: p.integer().default(0),
    /** Attempts of which nobody knows whether they arrived. */
    unknowns: p.integer().default(0),
    /** Set while an attempt runs. One that is found set was cut off. */
    tryingSince: p.datetime().nullable(),
    queuedAt: p.datetime().defaultRaw('now()'),
    dueAt: p.datetime(),
    endedAt: p.datetime().nullable(),
    errorCode: p.text().nullable(),
    /** The code with which the other side answered last, without its words. */
    answer: p.text().nullable(),
  },
  uniques: [{ name: 'deliveries_one_an_address', properties: ['notification', 'channel', 'address'] }],
  checks: [
    { name: 'deliveries_channel_is_a_word', expression: "channel ~ '^[a-z_]+$'" },
    { name: 'deliveries_end_when_they_are_over', expression: "(ended_at is null) = (state = 'pending')" },
  ],
  indexes: [
    { name: 'deliveries_due', properties: ['channel', 'dueAt'], where: "state = 'pending'" },
    { name: 'deliveries_by_state', properties: ['state', 'notification', 'id'] },
    sqlIndex('deliveries_of_endpoint', "deliveries (address, queued_at desc) where channel = 'webhook'"),
  ],
});
export type Delivery = InferEntity<typeof Delivery>;
