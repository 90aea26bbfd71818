import { createConnection } from 'node:net';
import { join } from 'node:path';
import { SetupError } from '../../domain/setup-error.ts';
import { installPackage } from '../../scripts/services/apt.ts';
import { freePort } from '../../scripts/services/port.ts';
import { findOnPath } from '../../scripts/services/program.ts';
import { launch, type Service, type ServiceContext } from '../../scripts/services/service.ts';

const CONFIG = join(import.meta.dirname, '..', '..', 'deploy', 'haproxy.cfg');

/** haproxy in front of three processes, as deploy/haproxy.cfg says. */
export interface Balancer {
  readonly service: Service;
  /** Gives a process nothing new, or again what comes. What it has goes on. */
  set(nth: number, state: 'drain' | 'ready'): Promise<void>;
  /** Waits until it is given requests. */
  up(nth: number): Promise<boolean>;
}

/** @throws SetupError when there is no haproxy and none can be installed. */
export async function startBalancer(context: ServiceContext, urls: readonly string[]): Promise<Balancer> {
  const file = findOnPath('haproxy') ?? (await installPackage('haproxy', ['haproxy'], context.stopping));
  if (file === null) throw new SetupError('No haproxy: install it so that it is on PATH.');
  const port = await freePort();
  const socket = join(context.dataDir, 'haproxy.sock');
  const url = `http://127.0.0.1:${port}`;
  const service = await launch(context, {
    name: 'haproxy',
    url,
    port,
    label: 'haproxy',
    file,
    args: ['-f', CONFIG, '-db'],
    env: {
      LISTEN: `127.0.0.1:${port}`,
      STATS: socket,
      ...Object.fromEntries(urls.map((url, nth) => [`APP_${nth + 1}`, new URL(url).host])),
    },
    isReady: async () => (await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_500) })).ok,
    withinMs: 30_000,
  });
  return {
    service,
    async set(nth, state) {
      const answer = await ask(socket, `set server app/app-${nth} state ${state}`);
      if (answer.trim() !== '') throw new Error(`haproxy said: ${answer.trim()}`);
    },
    async up(nth) {
      const line = (await ask(socket, 'show stat'))
        .split('\n')
        .map((row) => row.split(','))
        .find(([proxy, server]) => proxy === 'app' && server === `app-${nth}`);
      // Column 18 of haproxy's own table: UP, DOWN, DRAIN, with how far a check has come.
      return line?.[17] === 'UP';
    },
  };
}

/** One command to haproxy's socket. */
function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = createConnection(path, () => connection.end(`${command}\n`));
    let answer = '';
    connection.setEncoding('utf8');
    connection.on('data', (text: string) => (answer += text));
    connection.on('error', reject);
    connection.on('close', () => resolve(answer));
  });
}
