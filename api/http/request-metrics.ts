import type { RequestHandler, Response } from 'express';
import type { Metrics } from '../../platform/telemetry/metrics.ts';

interface Timed {
  receivedAt?: number;
  streamingAt?: number;
}

/**
 * Times every request under its route's template. A request that no route matched is `none`, so that strangers cannot
 * invent labels.
 */
export function timeRequests(metrics: Pick<Metrics, 'requestEnded' | 'streamClosed'>): RequestHandler {
  return (request, response, next) => {
    const timed = response.locals as Timed;
    const receivedAt = (timed.receivedAt = performance.now());
    response.once('close', () => {
      const { streamingAt } = timed;
      if (streamingAt !== undefined) metrics.streamClosed();
      // 499: the client went away before there was an answer.
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

/** Called when a response becomes a stream: its request is answered, however long the stream lives. */
export function streamBegan(response: Response, metrics: Pick<Metrics, 'streamOpened'>): void {
  // The reader left while the stream was being prepared, and nothing would count the stream as closed.
  if (response.closed) return;
  (response.locals as Timed).streamingAt = performance.now();
  metrics.streamOpened();
}

export function secondsSinceReceived(response: Response): number {
  return (performance.now() - ((response.locals as Timed).receivedAt ?? performance.now())) / 1_000;
}

/** The route's template; `none` when no route matched. */
export function routeOf({ route }: { readonly route?: unknown }): string {
  return typeof route === 'object' && route !== null && 'path' in route && typeof route.path === 'string'
    ? route.path
    : 'none';
}
