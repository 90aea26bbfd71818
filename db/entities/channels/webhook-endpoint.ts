import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { ENDPOINT_SCOPES, ENDPOINT_STATES, type WebhookEvent } from '../../../domain/channels/endpoint.ts';
import { User } from '../user.ts';

/** A server of a person's, or of the operator's, that is told of events. */
export const WebhookEndpoint = defineEntity({
  name: 'WebhookEndpoint',
  tableName: 'webhook_endpoints',
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(User).updateRule('no action').deleteRule('no action'),
    scope: p.enum(ENDPOINT_SCOPES),
    url: p.text(),
    events: p.array().$type<WebhookEvent[]>(),
    /** Sealed for this endpoint. */
    secret: p.blob().$type<Buffer>(),
    /** The one before, which signs as well until then. */
    oldSecret: p.blob().$type<Buffer>().nullable(),
    oldUntil: p.datetime().nullable(),
    state: p.enum(ENDPOINT_STATES).default('enabled'),
    /** Since when it has taken nothing. */
    failingSince: p.datetime().nullable(),
    createdAt: p.datetime(),
    /** It gets nothing more and is shown to nobody. */
    deletedAt: p.datetime().nullable(),
  },
  indexes: [{ name: 'webhook_endpoints_of_user', properties: ['user', 'createdAt'] }],
});
export type WebhookEndpoint = InferEntity<typeof WebhookEndpoint>;
