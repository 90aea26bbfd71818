import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { createClient } from 'redis';
import { MALLOC, NODE_FLAGS } from '../../scripts/app.ts';
import { startPostgres } from '../../scripts/services/postgres/postgres.ts';
import { Registry, type Started } from '../../scripts/services/registry.ts';
import { openRedis } from '../../platform/redis.ts';
import { createLog } from '../../platform/telemetry/log.ts';
import { createTestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { living, paste, stackOf, start, type Start } from './start.ts';

const folders: string[] = [];
const starts: Start[] = [];

afterAll(async () => {
  for (const { child } of starts.filter(({ child }) => child.exitCode === null && child.signalCode === null)) {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
  for (const folder of folders) {
    // Where root runs the tests, a start keeps its database aside, in the folder that this note names.
    const note = join(folder, 'postgresql', 'aside');
    if (existsSync(note)) rmSync(readFileSync(note, 'utf8').trim(), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('one stack, from its first start to its last stop', () => {
  let dataDir: string;
  let running: Start;
  let token: string;
  let secret: string;

  beforeAll(async () => {
    dataDir = newFolder();
    running = begin(dataDir, { SOMEBODYS_SECRET: 'sk-of-somebody' });
    await running.serving();
  });

  test('the app serves, and the printed curl line answers when pasted', async () => {
    const { url, address, curl, userToken } = await running.serving();
    token = userToken;
    secret = secretOf(address);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(await (await fetch(url, { headers: { accept: 'text/html' } })).text()).toContain('<div id="root">');
    expect(await (await fetch(`${url}/api/auth/options`)).json()).toEqual({ demo: true, provider: null });
    expect([(await demo(url, secret)).status, (await demo(url, '')).status]).toEqual([200, 404]);
    expect(JSON.parse(await paste(curl))).toMatchObject({ state: 'completed', usage: { estimated: false } });
    expect(statSync(join(dataDir, 'demo.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dataDir, 'logs', 'application.log'), 'utf8')).toContain('listening');
  });

  test('everything listens on loopback only, PostgreSQL durably and by password', async () => {
    const { postgresql } = servicesOf(dataDir);
    const args = readFileSync(`/proc/${postgresql?.pid}/cmdline`, 'utf8').split('\0');
    expect(args).toEqual(
      expect.arrayContaining(['127.0.0.1', 'fsync=on', 'synchronous_commit=on', 'full_page_writes=on']),
    );
    expect(new URL(postgresql?.url ?? '').password).toMatch(/^.{20,}$/);
    for (const { url } of stackOf(dataDir).services) expect(url).toContain('127.0.0.1');
  });

  test('Redis asks for a password, which no other user of the machine can see', async () => {
    const { redis } = servicesOf(dataDir);
    const { url = '', pid = 0 } = redis ?? {};
    const { password, host } = new URL(url);
    expect(password).toMatch(/^.{20,}$/);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(password);
    expect(await answerOf(url)).toBe('PONG');
    expect(await answerOf(`redis://${host}`)).toContain('NOAUTH');
    expect(await answerOf(`redis://:wrong@${host}`)).toContain('WRONGPASS');
  });

  test("no page in somebody's browser reaches Temporal, by its HTTP port or its UI", async () => {
    const args = readFileSync(`/proc/${servicePid(dataDir, 'temporal')}/cmdline`, 'utf8').split('\0');
    const http = `http://127.0.0.1:${args[args.indexOf('--http-port') + 1]}`;
    const ui = stackOf(dataDir).addresses?.temporal.ui ?? '';
    const batch = '/api/v1/namespaces/default/batch-operations/of-a-page';
    const post = (base: string, headers: Record<string, string>) =>
      ask(
        base + batch,
        headers,
        '{"visibilityQuery":"WorkflowType = \'none\'","reason":"x","terminationOperation":{}}',
      );
    // A page may send this without asking the server first.
    const ofPage = { origin: 'https://evil.example', 'content-type': 'text/plain' };
    expect(await post(http, ofPage)).toMatchObject({ status: 403, text: expect.stringContaining('Host not allowed') });
    expect(await post(ui, ofPage)).toMatchObject({ status: 400, text: expect.stringContaining('csrf') });
    expect((await ask(`${ui}/api/v1/namespaces`, ofPage)).headers).not.toHaveProperty('access-control-allow-origin');
    // The control: the port does obey whom it serves, and the UI shows what runs.
    expect((await post(http, { ...ofPage, host: 'nobody.invalid' })).status).toBe(200);
    expect((await ask(`${ui}/api/v1/namespaces`, {})).status).toBe(200);
  });

  test('only the app has what we were given, and what is written is closed to others', () => {
    const knowing = stackOf(dataDir).services.filter(({ pid }) =>
      readFileSync(`/proc/${pid}/environ`, 'utf8').includes('sk-of-somebody'),
    );
    expect(knowing.map(({ name }) => name)).toEqual(['app']);
    for (const folder of ['', 'logs', 'redis', 'temporal'])
      expect([folder, statSync(join(dataDir, folder)).mode & 0o777]).toEqual([folder, 0o700]);
    for (const log of readdirSync(join(dataDir, 'logs')))
      expect([log, statSync(join(dataDir, 'logs', log)).mode & 0o777]).toEqual([log, 0o600]);
  });

  test('the app runs by the flags of Node and the malloc that keep it small', () => {
    const app = stackOf(dataDir).services.find(({ name }) => name === 'app');
    expect(readFileSync(`/proc/${app?.pid}/cmdline`, 'utf8').split('\0')).toEqual(
      expect.arrayContaining([...NODE_FLAGS]),
    );
    expect(readFileSync(`/proc/${app?.pid}/environ`, 'utf8').split('\0')).toEqual(
      expect.arrayContaining(Object.entries(MALLOC).map(([name, value]) => `${name}=${value}`)),
    );
  });

  test('a second start on the same directory is refused and harms nothing', async () => {
    const second = begin(dataDir);
    expect(await second.ended()).toBe(1);
    expect(second.output()).toContain(`Turnkeeper already runs on ${dataDir}`);
    expect(living(stackOf(dataDir))).toHaveLength(7);
  });

  test('a PostgreSQL that lives keeps its data, though nothing is written down of it', async () => {
    const registry = await Registry.claim(newFolder());
    const another = startPostgres(
      { dataDir, registry, throwAway: false, durable: false, stopping: new AbortController().signal },
      undefined,
    );
    await expect(another).rejects.toThrow('lock file "postmaster.pid" already exists');
    registry.release();
    expect(living(stackOf(dataDir))).toHaveLength(7);
  });

  test('after kill -9 of the start the next one takes over, with the same keys behind another secret', async () => {
    const killed = stackOf(dataDir);
    process.kill(killed.owner.pid, 'SIGKILL');
    running.child.kill('SIGKILL');
    await running.ended();
    expect(living(killed)).toHaveLength(6);
    running = begin(dataDir, {}, 'unreaped');
    const { url, address, userToken } = await running.serving();
    expect(living(killed)).toEqual([]);
    expect(userToken).toBe(token);
    expect([(await demo(url, secret)).status, (await demo(url, secretOf(address))).status]).toEqual([404, 200]);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  test('after kill -9 of everything, where nobody reaps, the next start serves beside the corpses', async () => {
    const { child: subreaper } = running;
    const postmaster = killAll(dataDir);
    running = begin(dataDir, {}, 'reaped');
    await running.serving();
    expect(readFileSync(`/proc/${postmaster}/stat`, 'utf8')).toContain('(postgres) Z ');
    subreaper.kill('SIGKILL');
  });

  test('after kill -9 of everything but a process of PostgreSQL that is slow to notice, the next start waits for its end', async () => {
    const { child: subreaper } = running;
    const slow = childrenOf(servicePid(dataDir, 'postgresql'))[0] ?? 0;
    process.kill(slow, 'SIGSTOP');
    try {
      const postmaster = killAll(dataDir);
      await until(() => !existsSync(`/proc/${postmaster}`));
      running = begin(dataDir);
      await until(() => running.output().includes('waiting for what is left of a PostgreSQL that was killed'));
    } finally {
      process.kill(slow, 'SIGKILL');
    }
    await running.serving();
    expect(readFileSync(join(dataDir, 'logs', 'postgresql.log'), 'utf8')).toContain('pre-existing shared memory block');
    subreaper.kill('SIGKILL');
  });

  test('SIGTERM stops all of it', async () => {
    const stack = stackOf(dataDir);
    running.child.kill('SIGTERM');
    expect(await running.ended()).toBe(0);
    expect(living(stack)).toEqual([]);
    expect(stackOf(dataDir).services).toEqual([]);
    // The app drained by itself. One that ignores the signal is killed in the end and leaves nothing either.
    expect(readFileSync(join(dataDir, 'logs', 'application.log'), 'utf8')).toContain('"msg":"stopping"');
  });

  test('a service that dies ends all with its name', async () => {
    running = begin(dataDir);
    await running.serving();
    const stack = stackOf(dataDir);
    process.kill(servicePid(dataDir, 'redis'), 'SIGKILL');
    expect(await running.ended()).toBe(1);
    expect(running.output()).toContain('redis ended by itself');
    expect(living(stack)).toEqual([]);
  });

  test('SIGTERM to npm stops all of it too', async () => {
    running = begin(dataDir, {}, 'npm');
    await running.serving();
    const stack = stackOf(dataDir);
    running.child.kill('SIGTERM');
    // The shell ends npm without telling anybody, and the start notices that it is an orphan.
    await running.ended();
    while (living(stack).length > 0) await sleep(50);
    expect(stackOf(dataDir).services).toEqual([]);
  });
});

test('a taken PORT is an error that names it, and nothing is left running', async () => {
  const dataDir = newFolder();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const refused = begin(dataDir, { PORT: String(port) });
  expect(await refused.ended()).toBe(1);
  expect(refused.output()).toContain(`PORT: ${port} is in use`);
  expect(living(stackOf(dataDir))).toEqual([]);
  other.close();
});

/** Moments at which a start is told to stop. */
const MOMENTS: Record<string, (started: Start) => boolean> = {
  'its program has only begun': ({ child: { pid } }) => childrenOf(pid ?? 0).some(runsProgram),
  'its first service is ready': (started) => /: ready$/m.test(started.output()),
  'PostgreSQL is ready': (started) => started.output().includes('PostgreSQL (embedded): ready'),
};

test(`SIGTERM leaves nothing, whether ${Object.keys(MOMENTS).join(', ')}`, async () => {
  await Promise.all(
    Object.entries(MOMENTS).map(async ([moment, isReached]) => {
      const dataDir = newFolder();
      const interrupted = begin(dataDir);
      await until(() => isReached(interrupted));
      interrupted.child.kill('SIGTERM');
      expect([moment, await interrupted.ended()]).toEqual([moment, 0]);
      expect(filesOf(dataDir) ? living(stackOf(dataDir)) : []).toEqual([]);
    }),
  );
});

test("services of somebody else's are used, get no demo keys and are not stopped", async () => {
  const dataDir = newFolder();
  const db = await createTestDatabase();
  const redisUrl = `${process.env['TEST_REDIS_URL'] ?? ''}/15`;
  const running = begin(dataDir, {
    HOST: '127.0.0.1',
    DATABASE_URL: db.url,
    REDIS_URL: redisUrl,
    TEMPORAL_ADDRESS: process.env['TEST_TEMPORAL_ADDRESS'] ?? '',
    TASK_QUEUE_PREFIX: `${randomUUID()}-`,
  });
  await running.serving();
  expect(
    stackOf(dataDir)
      .services.map(({ name }) => name)
      .sort(),
  ).toEqual(['app', 'model']);
  expect(running.output()).not.toContain('Bearer');
  running.child.kill('SIGTERM');
  expect(await running.ended()).toBe(0);
  await db.database.ping();
  await db.close();
  const redis = await openRedis(redisUrl, createLog({ name: 'test', level: 'silent' }));
  expect(await redis.commands.ping()).toBe('PONG');
  await redis.close();
});

/** The secret in the printed address, which only the page gets. */
function secretOf(address: string): string {
  return new URL(address).hash.replace('#demo=', '');
}

function demo(url: string, secret: string): Promise<Response> {
  return fetch(`${url}/api/auth/demo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ as: 'admin', secret }),
  });
}

function begin(...args: Parameters<typeof start>): Start {
  const started = start(...args);
  starts.push(started);
  return started;
}

function newFolder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'turnkeeper-start-')));
  // Open, as a folder is that somebody made by hand: the start closes it.
  chmodSync(made, 0o755);
  folders.push(made);
  return made;
}

/**
 * Kills the start and all its services at once.
 * @returns the pid of PostgreSQL's first process.
 */
function killAll(dataDir: string): number {
  const postmaster = servicePid(dataDir, 'postgresql');
  const { owner, services } = stackOf(dataDir);
  for (const { pid } of [owner, ...services]) process.kill(pid, 'SIGKILL');
  return postmaster;
}

function servicesOf(dataDir: string): Record<string, Started> {
  return Object.fromEntries(stackOf(dataDir).services.map((service) => [service.name, service]));
}

/** What Redis says to a PING, or why it says nothing. */
async function answerOf(url: string): Promise<string> {
  const client = createClient({ url, socket: { reconnectStrategy: false } }).on('error', () => {});
  try {
    await client.connect();
    return await client.ping();
  } catch (error) {
    return String(error);
  } finally {
    client.destroy();
  }
}

/** Asks with headers that `fetch` does not allow; posts when there is a body. */
function ask(
  url: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; headers: object; text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { method: body === undefined ? 'GET' : 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (data: Buffer) => {
        text += data.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    })
      .on('error', reject)
      .end(body);
  });
}

function servicePid(dataDir: string, name: string): number {
  const service = stackOf(dataDir).services.find((each) => each.name === name);
  if (service === undefined) throw new Error(`no ${name} runs`);
  return service.pid;
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '')
    .map(Number);
}

function runsProgram(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('scripts/up.ts');
  } catch {
    // The process has ended meanwhile.
    return false;
  }
}

/** Whether the start wrote any file. */
function filesOf(dataDir: string): boolean {
  return statSync(join(dataDir, 'services.json'), { throwIfNoEntry: false }) !== undefined;
}
