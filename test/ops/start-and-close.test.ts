import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { createClient } from 'redis';
import { readConfig } from '../../platform/config/config.ts';
import { createLog } from '../../platform/telemetry/log.ts';
import { createService, type Service } from '../../service.ts';
import { makeDatabase } from '../support/database.ts';
import { useRuntime } from '../support/runtime.ts';
import { redisUrl, required } from '../support/stack.ts';
import { until } from '../support/until.ts';

const REDIS_URL = redisUrl();
const log = createLog({ name: 'test', level: 'silent' });
const readSdk = useRuntime(log);
const postgresql = new Client({ connectionString: required('TEST_DATABASE_URL') });
const redis = createClient({ url: REDIS_URL });
let made: Awaited<ReturnType<typeof makeDatabase>>;
beforeAll(async () => {
  [made] = await Promise.all([makeDatabase(), postgresql.connect(), redis.connect()]);
});
afterAll(async () => {
  redis.destroy();
  await postgresql.end();
  await made.drop();
});

function serviceOn(port: number, env: Record<string, string> = {}): Service {
  const config = readConfig({
    HOST: '127.0.0.1',
    PORT: String(port),
    DATABASE_URL: made.url,
    REDIS_URL,
    TEMPORAL_ADDRESS: required('TEST_TEMPORAL_ADDRESS'),
    TASK_QUEUE_PREFIX: `${randomUUID()}-`,
    SHUTDOWN_GRACE_SECONDS: '1',
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    ...env,
  });
  return createService(config, { log, readSdk });
}

/** The connections that a service has to this test's own databases. */
async function held(): Promise<{ postgresql: number; redis: number }> {
  const { rows } = await postgresql.query<{ count: number }>(
    'select count(*)::int as count from pg_stat_activity where datname = $1',
    [new URL(made.url).pathname.slice(1)],
  );
  const own = new URL(REDIS_URL).pathname.slice(1);
  const clients: unknown = await redis.sendCommand(['CLIENT', 'LIST']);
  // One of them belongs to the test.
  const there = String(clients)
    .split('\n')
    .filter((line) => line.includes(` db=${own} `));
  return { postgresql: rows[0]?.count ?? 0, redis: there.length - 1 };
}

const NONE = { postgresql: 0, redis: 0 };

test('a service that is closed holds nothing any more; closing it again is harmless', async () => {
  const service = serviceOn(0);
  const { url } = await service.start();
  expect((await fetch(`${url}/health`)).status).toBe(200);
  const { postgresql: connections, redis: clients } = await held();
  expect([connections > 0, clients]).toEqual([true, 2]);
  await service.close();
  await until(async () => JSON.stringify(await held()) === JSON.stringify(NONE));
  await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed');
  await service.close();
}, 180_000);

test('a start that fails at its last part has closed the others when it says so', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  try {
    await expect(serviceOn(port).start()).rejects.toMatchObject({
      name: 'SetupError',
      message: expect.stringContaining(`PORT: ${port} is in use`),
    });
    await until(async () => JSON.stringify(await held()) === JSON.stringify(NONE), 10_000);
  } finally {
    taken.close();
  }
}, 180_000);

/** Takes connections and says nothing, like a server that hangs or a port that is forwarded to nobody. */
test.each<[string, (port: number) => string]>([
  ['DATABASE_URL', (port) => `postgres://turnkeeper@127.0.0.1:${port}/postgres`],
  ['TEMPORAL_ADDRESS', (port) => `127.0.0.1:${port}`],
])(
  'a start whose %s is taken and never answered ends by itself and names it',
  async (variable, urlOf) => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    try {
      await expect(serviceOn(0, { [variable]: urlOf(port) }).start()).rejects.toMatchObject({
        name: 'SetupError',
        message: expect.stringContaining(variable),
      });
      await until(async () => JSON.stringify(await held()) === JSON.stringify(NONE), 10_000);
    } finally {
      for (const socket of sockets) socket.destroy();
      mute.close();
    }
  },
  180_000,
);
