import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { RESEND_STATES, type DeliveryFilter } from '../../../domain/channels/resend.ts';
import { Delivery } from '../notification.ts';
import { User } from '../user.ts';

/** Many deliveries that an admin has sent once more. */
export const Resend = defineEntity({
  name: 'Resend',
  tableName: 'resends',
  properties: {
    id: p.uuid().primary(),
    admin: () => p.manyToOne(User).nullable().updateRule('no action').deleteRule('no action'),
    state: p.enum(RESEND_STATES).default('running'),
    filter: p.json<DeliveryFilter>(),
    reason: p.text(),
    ratePerSecond: p.integer(),
    idempotencyKey: p.text().nullable(),
    requestHash: p.blob().$type<Buffer>().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    endedAt: p.datetime().nullable(),
  },
  checks: [
    { name: 'resends_rate_is_positive', expression: 'rate_per_second > 0' },
    { name: 'resends_end_when_they_are_over', expression: "(ended_at is null) = (state = 'running')" },
    { name: 'resends_key_and_request_go_together', expression: '(idempotency_key is null) = (request_hash is null)' },
  ],
  uniques: [{ name: 'resends_one_per_key', properties: ['admin', 'idempotencyKey'] }],
  indexes: [
    {
      name: 'resends_newest',
      columns: [
        { name: 'createdAt', sort: 'desc' },
        { name: 'id', sort: 'desc' },
      ],
    },
  ],
});
export type Resend = InferEntity<typeof Resend>;

/** One of them, and whether it was begun. What has become of it is the delivery's to say. */
export const ResendDelivery = defineEntity({
  name: 'ResendDelivery',
  tableName: 'resend_deliveries',
  properties: {
    resend: () => p.manyToOne(Resend).primary().updateRule('no action').deleteRule('no action'),
    delivery: () => p.manyToOne(Delivery).primary().updateRule('no action').deleteRule('no action'),
    position: p.integer(),
    begunAt: p.datetime().nullable(),
  },
  uniques: [{ name: 'resend_deliveries_have_a_place', properties: ['resend', 'position'] }],
  indexes: [{ name: 'resend_deliveries_by_delivery', properties: ['delivery'], where: 'begun_at is null' }],
});
export type ResendDelivery = InferEntity<typeof ResendDelivery>;
