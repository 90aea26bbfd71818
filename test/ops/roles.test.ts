import { afterAll, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { parseExposition, valueOf } from './exposition.ts';

const root = join(import.meta.dirname, '../..');
const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

/**
 * Starts the program itself in one role.
 * @returns the address in its log line `message`.
 */
async function startRole(
  env: Record<string, string>,
  message: string,
): Promise<{ url: string; stop(): Promise<number | null> }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'main.ts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      TEMPORAL_ADDRESS: process.env['TEST_TEMPORAL_ADDRESS'],
      REDIS_URL: process.env['TEST_REDIS_URL'],
      TASK_QUEUE_PREFIX: `${randomUUID()}-`,
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
      HOST: '127.0.0.1',
      PORT: '0',
      SHUTDOWN_GRACE_SECONDS: '1',
      ...env,
    },
  });
  started.push(child);
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as { msg: string; url?: string };
      if (entry.msg === message) resolve(entry.url ?? '');
    });
  });
  return {
    url,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      return ((await ended) as [number | null])[0];
    },
  };
}

test('a worker, which has no API, serves its metrics on METRICS_PORT, loopback unless told otherwise, and goes with SIGTERM', async () => {
  const db = await createTestDatabase();
  const worker = await startRole(
    { TURNKEEPER_ROLE: 'worker', DATABASE_URL: db.url, METRICS_PORT: '0' },
    'metrics are served',
  );
  expect(worker.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  let exposition = parseExposition('');
  // They are served before Temporal is connected.
  await until(async () => {
    exposition = parseExposition(await (await fetch(worker.url)).text());
    return exposition.families.has('temporal_request_latency_seconds');
  });
  expect(valueOf(exposition, 'turnkeeper_info', { role: 'worker' })).toBe(1);
  expect(valueOf(exposition, 'turnkeeper_postgres_up')).toBe(1);
  // Metrics that only the API knows are absent, so that nobody misreads them.
  expect(exposition.families.has('turnkeeper_overload_bound_turns')).toBe(false);
  expect(await worker.stop()).toBe(0);
  await db.close();
});
