import type { RequestHandler } from 'express';
import { addLogFields, withLogFields } from '../../platform/telemetry/log-fields.ts';
import type { Logger } from '../../platform/telemetry/log.ts';
import type { Tracing } from '../../platform/telemetry/span.ts';
import { requestIdOf } from './errors.ts';
import { routeOf, secondsSinceReceived } from './request-metrics.ts';

/**
 * Puts a request's id into its log lines and, where tracing is on, opens a span that lives as long as the answer. A
 * proxy's traceparent is continued.
 */
export function traceRequests(tracing: Tracing, log: Logger): RequestHandler {
  return (request, response, next) => {
    const requestId = requestIdOf(response);
    const span = tracing.start(request.method, {
      kind: 'server',
      parent: request.get('traceparent') ?? null,
      attributes: { 'http.request.method': request.method, 'turnkeeper.request_id': requestId },
    });
    response.once('close', () => {
      const [route, status] = [routeOf(request), response.statusCode];
      span.rename(`${request.method} ${route}`);
      span.set({ 'http.route': route, 'http.response.status_code': status });
      span.end(status >= 500 ? String(status) : undefined);
      log.debug(
        { requestId, method: request.method, route, status, seconds: secondsSinceReceived(response) },
        'request ended',
      );
    });
    span.run(() => withLogFields({ requestId, ...(span.traceId === null ? {} : { traceId: span.traceId }) }, next));
  };
}

/** Adds the turn of a request to its log lines and span, once it is known. */
export function nameTurn(tracing: Tracing, turnId: string): void {
  addLogFields({ turnId });
  tracing.annotate({ 'turnkeeper.turn_id': turnId });
}
