import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A way to a server that counts what passes, by the first part of the address. */
export interface CountingDoor {
  readonly url: string;
  /** Requests that came for this name. */
  count(name: string): number;
  close(): void;
}

/**
 * Passes `/<name>/…` on to `/…` of the server, bytes as they are; a client that leaves is passed on, too.
 * @param isBusy whether the first request of a name is answered 503 in place of the server.
 */
export async function openCountingDoor(
  to: string,
  { isBusy }: { isBusy: (name: string) => boolean },
): Promise<CountingDoor> {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const [, name = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? [];
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    if (nth === 1 && isBusy(name)) {
      request.resume();
      response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1', 'retry-after-ms': '100' });
      response.end(
        JSON.stringify({ error: { message: 'busy', type: 'server_error', param: null, code: 'overloaded' } }),
      );
      return;
    }
    const { host: _, ...headers } = request.headers;
    const onward = ask(new URL(rest, to), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: (name) => counts.get(name) ?? 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
