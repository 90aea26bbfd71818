import { createClient } from 'redis';
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { say, SetupError, withProgress } from './say.ts';
import { dockerRun, external, findOnPath, freePort, hasDocker, launch, runToEnd, type Ground, type Service } from './service.ts';

/** `REDIS_URL` or `REDIS_HOST`, else a server on PATH, else Debian's package (as root), else docker. */
export async function startRedis(ground: Ground, url: string | undefined): Promise<Service> {
  if (url !== undefined) return external('redis', url, 'Redis at REDIS_URL');
  const port = await freePort();
  const address = `redis://127.0.0.1:${port}`;
  const server = findOnPath('redis-server', 'valkey-server') ?? await installRedis();
  const shared = { name: 'redis', url: address, isReady: () => answers(address), withinMs: 30_000 };
  if (server !== null) {
    const folder = join(ground.dataDir, 'redis');
    mkdirSync(folder, { recursive: true });
    // A view and a cache: nothing is written to disk. The tests keep 64 worlds apart by database number.
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, '--databases', ground.throwAway ? '256' : '16'];
    return launch(ground, { ...shared, file: server, args, said: 'Redis' });
  }
  if (await hasDocker()) {
    return launch(ground, { ...shared, file: 'docker', args: dockerRun({ [port]: 6379 }, 'redis:8.2', ['redis-server', '--save', '', '--databases', '256']), said: 'Redis (docker)', withinMs: 300_000 });
  }
  throw new SetupError('No Redis: install redis-server or valkey-server, or set REDIS_URL.');
}

async function installRedis(): Promise<string | null> {
  const apt = findOnPath('apt-get');
  if (apt === null || process.getuid?.() !== 0) return null;
  say('no redis-server on PATH: installing it (apt-get install redis-server)');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = () => runToEnd(apt, ['install', '-y', '-q', '--no-install-recommends', 'redis-server'], { env, withinMs: 300_000 });
  await withProgress('installing redis-server', (async () => {
    // The package lists of a fresh container are empty.
    await runToEnd(apt, ['update', '-q'], { env, withinMs: 120_000 });
    return install();
  })());
  return findOnPath('redis-server');
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
