import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'redis';
import { hasDocker, prepareContainer } from './docker.ts';
import { freePort } from './port.ts';
import { findOnPath, lastLine, runToEnd } from './program.ts';
import { say, SetupError, withProgress } from './say.ts';
import { external, launch, type Ground, type Service } from './service.ts';

/** `REDIS_URL` or `REDIS_HOST`, else a server on PATH, else Debian's package (as root), else docker. */
export async function startRedis(ground: Ground, url: string | undefined): Promise<Service> {
  if (url !== undefined) return external('redis', url, 'Redis at REDIS_URL');
  const server = findOnPath('redis-server', 'valkey-server') ?? await installRedis(ground);
  const port = await freePort();
  const address = `redis://127.0.0.1:${port}`;
  const shared = { name: 'redis', url: address, port, isReady: () => answers(address) };
  // A view and a cache: nothing is written to disk. The tests keep their worlds apart by database number.
  const settings = ['--save', '', '--appendonly', 'no', '--databases', ground.throwAway ? '256' : '16'];
  if (server !== null) {
    const folder = join(ground.dataDir, 'redis');
    mkdirSync(folder, { recursive: true });
    return launch(ground, { ...shared, file: server, args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...settings], said: 'Redis', withinMs: 30_000 });
  }
  if (await hasDocker()) {
    const args = await prepareContainer(ground, { name: 'redis', ports: { [port]: 6379 }, image: 'redis:8.2', command: ['redis-server', ...settings] });
    return launch(ground, { ...shared, file: 'docker', args, said: 'Redis (docker)', withinMs: 300_000 });
  }
  throw new SetupError('No Redis: install redis-server or valkey-server, or set REDIS_URL.');
}

async function installRedis(ground: Ground): Promise<string | null> {
  const apt = findOnPath('apt-get');
  if (apt === null || process.getuid?.() !== 0) return null;
  say('no redis-server on PATH: installing Debian\'s package (apt-get install redis-server)');
  // RUNLEVEL: the package's own daemon is not wanted.
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }, signal: ground.stopping };
  const { ok, output } = await withProgress('installing redis-server', (async () => {
    // The package lists of a fresh container are empty.
    await runToEnd(apt, ['update', '-q'], { ...options, withinMs: 120_000 });
    return runToEnd(apt, ['install', '-y', '-q', '--no-install-recommends', 'redis-server'], { ...options, withinMs: 300_000 });
  })());
  if (!ok) say(`redis-server could not be installed: ${lastLine(output)}`);
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
