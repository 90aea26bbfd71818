import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../domain/setup-error.ts';
import { createBoundedServer } from '../platform/http-server.ts';
import { createApp } from './app.ts';
import type { ApiDeps } from './context.ts';
import { answerMalformed } from './http/malformed.ts';
import { Stopping } from './stopping.ts';

export interface Api {
  /** Where it listens, with the port that was chosen when 0 was asked for. */
  readonly url: string;
  /**
   * Takes nothing new and ends streams: their readers resume elsewhere. Other requests may finish for 5 s, and answers
   * that nobody can take up elsewhere for the grace time.
   * @param meanwhile lets the turns of those answers finish.
   */
  close(meanwhile: () => Promise<void>): Promise<void>;
}

export interface ApiOptions {
  /** How long after the server begins to stop an answer may still come whole. */
  readonly graceMs: number;
  /** How long an answer may wait for a reader that takes none of it; 30 s by default. */
  readonly stalledAfterMs?: number | undefined;
}

const DRAIN_MS = 5_000;
/** For an answer that is cut to say so. */
const LAST_WORD_MS = 2_000;

/** @throws SetupError when the port is taken. */
export async function startApi(deps: Omit<ApiDeps, 'switches'>, { graceMs, stalledAfterMs }: ApiOptions): Promise<Api> {
  const stopping = new Stopping();
  const { host, port, mostConnections } = deps.config.http;
  const server = createBoundedServer(createApp(deps, stopping), { stalledAfterMs, mostConnections });
  answerMalformed(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const used = typeof address === 'object' && address !== null ? address.port : port;
  const url = `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host}:${used}`;
  deps.log.info({ url }, 'listening');
  return {
    url,
    async close(meanwhile) {
      const graceEndsAt = performance.now() + graceMs;
      stopping.begin();
      server.close();
      await emptied(server, { withinMs: DRAIN_MS, but: () => stopping.lasting });
      await meanwhile();
      if (stopping.lasting > 0) await emptied(server, { withinMs: graceEndsAt - performance.now() });
      stopping.end();
      await emptied(server, { withinMs: LAST_WORD_MS });
      server.closeAllConnections();
    },
  };
}

/** Waits until no connection is left but those of `but` answers. An answer that has come leaves its own idle. */
async function emptied(
  server: Server,
  { withinMs, but = () => 0 }: { readonly withinMs: number; readonly but?: () => number },
): Promise<void> {
  for (const deadline = performance.now() + withinMs; ; await sleep(EMPTY_LOOK_MS)) {
    server.closeIdleConnections();
    if ((await connectionsOf(server)) <= but() || performance.now() >= deadline) return;
  }
}

const EMPTY_LOOK_MS = 20;

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
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
