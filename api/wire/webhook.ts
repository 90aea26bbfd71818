import { z } from 'zod';
import { ENDPOINT_SCOPES, ENDPOINT_STATES, WEBHOOK_EVENTS } from '../../domain/channels/endpoint.ts';
import { instant, pageOf } from './fields.ts';

const events = z
  .array(z.enum(WEBHOOK_EVENTS))
  .min(1)
  .max(WEBHOOK_EVENTS.length)
  .transform((named) => [...new Set(named)])
  .meta({ description: '`turn.failed` for admins with scope `operator` only' });
const url = z.string().min(1).max(2_000).meta({
  description: 'https, on port 443 or 8443, of a public address',
  example: 'https://hooks.example.com/turnkeeper',
});

const endpoint = z
  .object({
    endpointId: z.uuid(),
    url: z.string(),
    scope: z.enum(ENDPOINT_SCOPES).meta({ description: '`operator`: events of all accounts' }),
    events: z.array(z.enum(WEBHOOK_EVENTS)),
    state: z.enum(ENDPOINT_STATES),
    failingSince: instant
      .nullable()
      .meta({ description: 'Since when it has taken nothing; after 3 days it is disabled' }),
    createdAt: instant,
  })
  .meta({ id: 'WebhookEndpoint' });

export const endpointPage = pageOf(endpoint).meta({ id: 'WebhookEndpoints' });

export const endpointWithSecret = endpoint
  .extend({
    secret: z.string().optional().meta({
      description:
        'Signs its calls (standardwebhooks.com); shown only when it is new. The one before signs 24 hours more',
      example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    }),
  })
  .meta({ id: 'WebhookEndpointWithSecret' });

export const createEndpointBody = z
  .strictObject({ url, events, scope: z.enum(ENDPOINT_SCOPES).default('account') })
  .meta({ id: 'CreateWebhookEndpoint' });

export const updateEndpointBody = z
  .strictObject({
    url: url.optional(),
    events: events.optional(),
    state: z.enum(ENDPOINT_STATES).optional(),
    rotateSecret: z.literal(true).optional().meta({ description: 'Makes a new secret, shown in this answer' }),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'nothing to change')
  .meta({ id: 'UpdateWebhookEndpoint' });

const endpointDelivery = z.object({
  deliveryId: z.uuid().meta({ description: 'The `webhook-id` of its calls' }),
  type: z.string(),
  state: z.enum(['pending', 'delivered', 'failed']),
  attempts: z.int().min(0),
  error: z.string().nullable(),
  answer: z
    .string()
    .nullable()
    .meta({ description: 'The last status, or a word of ours, such as `unreachable`; never a body' }),
  createdAt: instant,
  dueAt: instant.nullable().meta({ description: 'When it is tried next' }),
  endedAt: instant.nullable(),
});

export const endpointDeliveries = pageOf(endpointDelivery).meta({ id: 'WebhookDeliveries' });
export const deliveryStarted = z.object({ deliveryId: z.uuid() }).meta({ id: 'DeliveryStarted' });
