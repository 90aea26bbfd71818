import { METRICS_CONTENT_TYPE } from '../../platform/telemetry/metrics.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';

/** What this process counts, for admins. Without a login it is served only on a port of its own (METRICS_PORT). */
export function metricsRoutes({ metrics }: Pick<ApiDeps, 'metrics'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/metrics',
      access: 'admin',
      tag: 'Health',
      limit: 'none',
      summary: 'What this process counts, in Prometheus’s format; for admins',
      answers: { 200: { description: 'Metrics', text: 'text/plain' } },
      errors: [],
      async handle({ response }) {
        response.set('Content-Type', METRICS_CONTENT_TYPE).send(await metrics.render());
        return null;
      },
    }),
  ];
}
