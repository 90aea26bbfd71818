import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { freePort } from '../../scripts/services/port.ts';

export interface ReceivedHook {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that is called by webhooks, on this machine. */
export interface TestHooks {
  /** `127.0.0.1` with its port. */
  readonly host: string;
  readonly received: readonly ReceivedHook[];
  /** What it answers to a path from now on: a status, with a place to go; or a body that does not end. */
  answer(path: string, how: { status: number; location?: string } | 'endless'): void;
  close(): Promise<void>;
}

export async function startTestHooks(): Promise<TestHooks> {
  const received: ReceivedHook[] = [];
  const answers = new Map<string, { status: number; location?: string } | 'endless'>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      received.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      const how = answers.get(path) ?? { status: 204 };
      if (how !== 'endless') {
        response.writeHead(how.status, how.location === undefined ? {} : { location: how.location });
        response.end();
        return;
      }
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    });
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${port}`,
    received,
    answer: (path, how) => answers.set(path, how),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
