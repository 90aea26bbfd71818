import { hearWebhook } from '../../operations/payments/hear-webhook.ts';
import { PROVIDERS, type ProviderName } from '../../domain/payments/provider.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';

const SUMMARIES = {
  stripe: 'A signed event of Stripe: it makes us look at the payment',
  toss: 'A webhook of Toss Payments, which signs none: it makes us look at the payment, and no more',
  demo: 'A hint of the demo shop that a payment has changed',
} as const satisfies Record<ProviderName, string>;

/** What providers tell us. Nothing of it is believed: each only makes us look. */
export function paymentWebhookRoutes(deps: ApiDeps): Route[] {
  return PROVIDERS.map((provider) =>
    defineRoute({
      access: 'webhook',
      method: 'post',
      path: `/api/webhooks/${provider}`,
      tag: 'Purchases',
      summary: SUMMARIES[provider],
      answers: { 200: { description: 'Heard' } },
      errors: ['invalid_request', 'not_found'],
      async handle({ request: { headers } }, { body }) {
        await hearWebhook(deps, provider, { headers, body });
        return { status: 200, body: {} };
      },
    }),
  );
}
