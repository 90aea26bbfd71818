import type { Express, RequestHandler } from 'express';
import { METRICS_CONTENT_TYPE, type Metrics } from '../../platform/telemetry/metrics.ts';
import { allowOnly } from '../http/route.ts';

/** What this process counts, for admins; without a login only on a port of its own (METRICS_PORT). */
export function mountMetrics(app: Express, metrics: Metrics, admin: readonly RequestHandler[]): void {
  app.get('/metrics', ...admin, async (_request, response) => {
    response.set({ 'Content-Type': METRICS_CONTENT_TYPE, 'Cache-Control': 'no-store' }).send(await metrics.render());
  });
  allowOnly(app, [{ method: 'get', path: '/metrics' }]);
}
