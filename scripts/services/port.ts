import { createServer } from 'node:net';
import { SetupError } from '../../domain/setup-error.ts';

/** Ports that this process has given out: one that is given is not yet bound when the next is asked for. */
const given = new Set<number>();

/** A free port of 127.0.0.1 that was not given out before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await listenOnce(0, '127.0.0.1');
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** What PostgreSQL, Redis, Temporal and Node say last when somebody else has the port. */
const TAKEN = /address already in use|EADDRINUSE|could not create any TCP\/IP sockets|Failed listening on port/i;
const MOST_TRIES = 3;

/**
 * Starts what listens on a free port. The port was free a moment before: on a busy machine somebody's outgoing
 * connection may have got it since, so another one is tried then.
 */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (tries === MOST_TRIES || !(error instanceof SetupError && TAKEN.test(error.message))) throw error;
    }
  }
}

/**
 * Reserves the app's port, so that no service gets it.
 * @returns the port to use: any free one for 0.
 * @throws SetupError that names PORT when it is taken.
 */
export async function reservePort(port: number, host: string): Promise<number> {
  if (port === 0) return freePort();
  given.add(port);
  return listenOnce(port, host).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE')
      throw new SetupError(`PORT: ${port} is in use. Stop what listens there, or set PORT to a free port.`);
    if (error.code === 'EACCES') throw new SetupError(`PORT: ${port} may not be used by this user.`);
    if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
      throw new SetupError(`HOST: ${host} is no address of this machine.`);
    throw error;
  });
}

async function listenOnce(port: number, host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new SetupError('no free port could be found');
  return address.port;
}
