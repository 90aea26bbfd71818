import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'redis';
import { SetupError } from '../../domain/setup-error.ts';
import { installPackage } from './apt.ts';
import { hasDocker, prepareContainer } from './docker.ts';
import { onFreePort } from './port.ts';
import { findOnPath } from './program.ts';
import { external, launch, type ServiceContext, type Service } from './service.ts';

/** `REDIS_URL` or `REDIS_HOST`, else a server on PATH, else Debian's package (as root), else docker. */
export async function startRedis(context: ServiceContext, url: string | undefined): Promise<Service> {
  if (url !== undefined) return external('redis', url, 'Redis at REDIS_URL');
  const server =
    findOnPath('redis-server', 'valkey-server') ??
    (await installPackage('redis-server', ['redis-server'], context.stopping));
  return onFreePort(async (port) => {
    const address = `redis://127.0.0.1:${port}`;
    const shared = { name: 'redis', url: address, port, isReady: () => answers(address) };
    // Nothing is written to disk, because Redis holds only a view and a cache. Tests need many databases, because each
    // stack has its own number.
    const settings = ['--save', '', '--appendonly', 'no', '--databases', context.throwAway ? '256' : '16'];
    if (server !== null) {
      const folder = join(context.dataDir, 'redis');
      mkdirSync(folder, { recursive: true });
      return launch(context, {
        ...shared,
        file: server,
        args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...settings],
        label: 'Redis',
        withinMs: 30_000,
      });
    }
    if (await hasDocker()) {
      const args = await prepareContainer(context, {
        name: 'redis',
        ports: { [port]: 6379 },
        image: 'redis:8.2',
        command: ['redis-server', ...settings],
      });
      return launch(context, { ...shared, file: 'docker', args, label: 'Redis (docker)', withinMs: 300_000 });
    }
    throw new SetupError('No Redis: install redis-server or valkey-server, or set REDIS_URL.');
  });
}

async function answers(url: string): Promise<boolean> {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 1_000 } });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } finally {
    client.destroy();
  }
}
