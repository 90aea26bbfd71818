import type { RequestHandler, Response } from 'express';
import type { Metrics } from '../../platform/telemetry/metrics.ts';

interface Timed {
  receivedAt?: number;
  streamingAt?: number;
}

/**
 * Times every request by its route's template: an address that no route took is `none`, so a stranger cannot invent
 * labels.
 */
export function timeRequests(metrics: Pick<Metrics, 'requestEnded' | 'streamClosed'>): RequestHandler {
  return (request, response, next) => {
    const timed = response.locals as Timed;
    const receivedAt = (timed.receivedAt = performance.now());
    response.once('close', () => {
      const { streamingAt } = timed;
      if (streamingAt !== undefined) metrics.streamClosed();
      // 499: the client had gone before there was an answer.
      const status = response.headersSent ? response.statusCode : 499;
      metrics.requestEnded({
        method: request.method,
        route: routeOf(request),
        status,
        seconds: ((streamingAt ?? performance.now()) - receivedAt) / 1_000,
      });
    });
    next();
  };
}

/** Said when a response has become a stream: its request is answered, however long the stream lives. */
export function streamBegan(response: Response, metrics: Pick<Metrics, 'streamOpened'>): void {
  // Its reader left while it was being prepared: nobody would count it out again.
  if (response.closed) return;
  (response.locals as Timed).streamingAt = performance.now();
  metrics.streamOpened();
}

export function secondsSinceReceived(response: Response): number {
  return (performance.now() - ((response.locals as Timed).receivedAt ?? performance.now())) / 1_000;
}

/** Its template; `none` for what no route took. */
export function routeOf({ route }: { readonly route?: unknown }): string {
  return typeof route === 'object' && route !== null && 'path' in route && typeof route.path === 'string'
    ? route.path
    : 'none';
}
