import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
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
  // Other users of this machine reach the port too. The password is in a file, because all users see a program's
  // arguments; it is another with each start, because nothing that Redis holds outlives one.
  const password = randomBytes(18).toString('base64url');
  const folder = join(context.dataDir, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'redis.conf');
  return onFreePort(async (port) => {
    const address = `redis://:${password}@127.0.0.1:${port}`;
    const shared = { name: 'redis', url: address, port, isReady: () => answers(address) };
    // Nothing is written to disk, because Redis holds only a view and a cache. Tests need many databases, because each
    // stack has its own number.
    const settings = [
      'save ""',
      'appendonly no',
      `databases ${context.throwAway ? 256 : 16}`,
      `requirepass ${password}`,
    ];
    if (server !== null) {
      writePrivate(file, ['bind 127.0.0.1', `port ${port}`, `dir "${folder}"`, ...settings]);
      return launch(context, { ...shared, file: server, args: [file], label: 'Redis', withinMs: 30_000 });
    }
    if (await hasDocker()) {
      writePrivate(file, settings);
      // The container's user must read it; on this machine the folder is closed.
      chmodSync(file, 0o644);
      const args = await prepareContainer(context, {
        name: 'redis',
        ports: { [port]: 6379 },
        volumes: { [file]: '/etc/redis.conf' },
        image: 'redis:8.2.1-bookworm',
        command: ['redis-server', '/etc/redis.conf'],
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

function writePrivate(file: string, lines: readonly string[]): void {
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
}
