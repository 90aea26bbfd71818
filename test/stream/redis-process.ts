import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createClient } from 'redis';
import { until } from './stage.ts';

/**
 * A Redis for one test, to be killed, emptied and paused. It stores nothing on disk, so it is empty after a restart.
 */
export interface RedisProcess {
  readonly url: string;
  start(): Promise<void>;
  /** Kills it at once, without a last message, like a lost machine. */
  kill(): Promise<void>;
  close(): Promise<void>;
  /** Sends one command over a connection of its own. */
  command(...words: string[]): Promise<unknown>;
}

/**
 * @param isStarted false: its port is reserved, and nobody listens there yet.
 * @param settings as on its command line.
 */
export async function openRedisProcess(isStarted = true, settings: readonly string[] = []): Promise<RedisProcess> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;
  const kill = async () => {
    if (child === null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    child = null;
    await exited;
  };
  const redis: RedisProcess = {
    url,
    kill,
    close: kill,
    async start() {
      const own = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
      child = await spawnRedis([...own, ...settings]);
      await until(() => answers(url), 'a Redis to start');
    },
    async command(...words) {
      const client = createClient({ url, socket: { reconnectStrategy: false } });
      client.on('error', () => {});
      await client.connect();
      try {
        return await client.sendCommand(words);
      } finally {
        client.destroy();
      }
    },
  };
  if (isStarted) await redis.start();
  return redis;
}

/** Starts redis-server or valkey-server, whichever is installed. */
async function spawnRedis(args: readonly string[]): Promise<ChildProcess> {
  for (const name of ['redis-server', 'valkey-server']) {
    const child = spawn(name, args, { stdio: 'ignore' });
    const isRunning = await once(child, 'spawn').then(
      () => true,
      () => false,
    );
    if (isRunning) return child;
  }
  throw new Error('neither redis-server nor valkey-server is on PATH: these tests kill one of their own');
}

async function answers(url: string): Promise<boolean> {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 1_000 } });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
