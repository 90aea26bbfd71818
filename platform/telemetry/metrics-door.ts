import { SetupError } from '../../domain/setup-error.ts';
import { METRICS_CONTENT_TYPE, type Metrics } from './metrics.ts';
import { ANSWER_HEADERS, createBoundedServer } from '../http-server.ts';

export interface MetricsDoor {
  /** With the port that was chosen when 0 was asked for. */
  readonly url: string;
  close(): Promise<void>;
}

const MOST_SCRAPERS = 64;

/**
 * `/metrics` on a port of its own, without a login: a worker has no other port, and a scraper needs no token. It
 * listens on loopback unless METRICS_HOST says otherwise. @throws SetupError when the port is taken.
 */
export async function openMetricsDoor(
  metrics: Metrics,
  { host, port }: { host: string; port: number },
): Promise<MetricsDoor> {
  const server = createBoundedServer(
    (request, response) => {
      for (const [name, value] of Object.entries(ANSWER_HEADERS)) response.setHeader(name, value);
      if (request.method !== 'GET' || request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      void metrics.render().then((text) => response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE }).end(text));
    },
    { mostConnections: MOST_SCRAPERS },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new SetupError(`METRICS_PORT: ${host}:${port} cannot be used (${cause.code ?? cause.message}).`, { cause }),
      ),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const used = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${used}/metrics`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
