import { SetupError } from '../domain/setup-error.ts';
import { createBoundedServer } from '../platform/http-server.ts';
import { createApp } from './app.ts';
import type { ApiDeps } from './context.ts';
import { answerMalformed } from './http/malformed.ts';

export interface Api {
  /** Where it listens, with the port that was chosen when 0 was asked for. */
  readonly url: string;
  /** Ends streams (their readers resume elsewhere) and lets other requests finish for 5 s. */
  close(): Promise<void>;
}

const DRAIN_MS = 5_000;

/**
 * @param options.stalledAfterMs how long an answer may wait for a reader that takes none of it; 30 s by default.
 * @throws SetupError when the port is taken.
 */
export async function startApi(
  deps: Omit<ApiDeps, 'switches'>,
  options: { stalledAfterMs?: number | undefined } = {},
): Promise<Api> {
  const stopping = new AbortController();
  const { host, port, mostConnections } = deps.config.http;
  const server = createBoundedServer(createApp(deps, stopping.signal), { ...options, mostConnections });
  answerMalformed(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const used = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host}:${used}`,
    async close() {
      stopping.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new SetupError(`PORT: ${port} is in use. Set PORT to a free one, or stop what listens there.`, {
      cause: error,
    });
  if (error.code === 'EACCES') return new SetupError(`PORT: ${port} may not be used by this user.`, { cause: error });
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new SetupError(`HOST: ${host} is no address of this machine.`, { cause: error });
  return error;
}
