import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { PROVIDERS } from '../../../domain/payments/provider.ts';

/**
 * A webhook that came. It never keeps us from looking again, because an event that is known may have been worked on in
 * vain. Its body is not kept: it holds what is the buyer's.
 */
export const InboundEvent = defineEntity({
  name: 'InboundEvent',
  tableName: 'inbound_events',
  properties: {
    provider: p.enum(PROVIDERS).primary(),
    eventId: p.text().primary(),
    type: p.text(),
    purchaseId: p.uuid().nullable(),
    times: p.integer().default(1),
    receivedAt: p.datetime().defaultRaw('now()'),
  },
  indexes: [
    { name: 'inbound_events_by_time', properties: ['receivedAt'] },
    { name: 'inbound_events_of_purchase', properties: ['purchaseId'], where: 'purchase_id is not null' },
  ],
});
export type InboundEvent = InferEntity<typeof InboundEvent>;
