import { randomUUID } from 'node:crypto';
import { createClient } from 'redis';
import type { Database } from '../../db/database.ts';
import { createUser } from '../../db/people/users.ts';
import type { Planner } from '../../domain/schedules.ts';
import { readConfig } from '../../platform/config/config.ts';
import type { Redis } from '../../platform/redis.ts';
import { createLog, type Logger } from '../../platform/telemetry/log.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import type { Tracing } from '../../platform/telemetry/span.ts';
import type { Temporal } from '../../platform/temporal/connection.ts';
import type { TurnRuns } from '../../platform/temporal/turn-runs.ts';
import { createService, type Build } from '../../service.ts';
import type { RunningWorker } from '../../worker/main.ts';
import { startFakeModel, type FakeModel } from '../fake-model/server.ts';
import { makeDatabase } from './database.ts';
import { through, type Proxy } from './proxy.ts';
import { useRuntime } from './runtime.ts';

export interface Person {
  readonly userId: number;
  readonly token: string;
  /** Sends a request with the person's token; `body` is sent as JSON. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Headers; body: any }>;
  /** The raw response, for streams. */
  raw(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Response>;
}

/** The real service, API and worker in this process, on a database, a Redis database and task queues of its own. */
export interface TestStack {
  readonly url: string;
  readonly model: FakeModel;
  readonly db: {
    readonly database: Database;
    /** The server's own address, whatever lies between the service and it. */
    readonly url: string;
  };
  readonly redis: Redis;
  readonly temporal: Temporal;
  readonly runs: TurnRuns;
  readonly planner: Planner;
  /** The prefix of the names of its queues and schedules. */
  readonly taskQueuePrefix: string;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  person(role?: 'user' | 'admin'): Promise<Person>;
  /**
   * Starts a worker on the same queues, in addition to those that run. Its `close` lets no stream finish: the stream is
   * cut, and another worker takes the turn.
   * @param build the version that it names, and the workflow code that it runs.
   */
  startWorker(build?: Build): Promise<RunningWorker>;
  close(): Promise<void>;
}

/**
 * @param env variables to add, as a person would set them.
 * @param options.works false: no worker runs.
 * @param options.log replaces silence.
 * @param options.now the policy's clock.
 * @param options.stalledAfterMs how long an answer may wait for a reader that takes none of it.
 * @param options.postgresql a proxy between the service and the server.
 */
export async function startTestStack(
  env: Record<string, string> = {},
  options: {
    works?: boolean;
    log?: Logger;
    now?: () => number;
    postgresql?: { by: Proxy; answerWithinMs?: number };
    stalledAfterMs?: number;
  } = {},
): Promise<TestStack> {
  const log = options.log ?? createLog({ name: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
  const readSdk = useRuntime(log);
  const { now, postgresql, stalledAfterMs } = options;
  const model = await startFakeModel();
  const { url, drop } = await makeDatabase();
  const config = readConfig({
    TURNKEEPER_ROLE: options.works === false ? 'api' : 'all',
    HOST: '127.0.0.1',
    PORT: '0',
    TEST_ROUTES: 'true',
    TASK_QUEUE_PREFIX: `${randomUUID()}-`,
    RECONCILE_EVERY_SECONDS: '86400',
    RECONCILE_QUIET_SECONDS: '1',
    SHUTDOWN_GRACE_SECONDS: '1',
    SENDS_PER_MINUTE: '100000',
    READS_PER_SECOND: '100000',
    DATABASE_URL: postgresql === undefined ? url : through(postgresql.by, url),
    DATABASE_POOL_MAX: '20',
    TEMPORAL_ADDRESS: required('TEST_TEMPORAL_ADDRESS'),
    REDIS_URL: redisUrl(),
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: 'sk-secret-of-the-test',
    ...env,
  });
  await flush(config.redis.url ?? '');
  const service = createService(config, {
    log,
    readSdk,
    ...(now === undefined ? {} : { now }),
    ...(stalledAfterMs === undefined ? {} : { stalledAfterMs }),
    ...(postgresql?.answerWithinMs === undefined ? {} : { answerWithinMs: postgresql.answerWithinMs }),
  });
  const running = await service.start();
  const { database } = running;
  const api = running.url ?? '';
  return {
    ...running,
    url: api,
    model,
    db: { database, url },
    taskQueuePrefix: config.temporal.taskQueuePrefix,
    async person(role = 'user') {
      const { userId, token } = await createUser(database, { email: null, role });
      return personAtUrl(api, userId, token);
    },
    async close() {
      await service.close();
      await drop();
      await model.close();
    },
  };
}

/** Deletes what earlier tests left in this stack's Redis database. */
async function flush(url: string): Promise<void> {
  const redis = await createClient({ url }).connect();
  await redis.flushDb();
  redis.destroy();
}

/**
 * A person whose calls go to the API at `url`.
 * @param url a function when it changes.
 */
export function personAtUrl(url: string | (() => string), userId: number, token: string): Person {
  const raw: Person['raw'] = (method, path, body, headers = {}, signal) =>
    fetch(`${typeof url === 'string' ? url : url()}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  return {
    userId,
    token,
    raw,
    async call(method, path, body, headers) {
      const response = await raw(method, path, body, headers);
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
    },
  };
}

/**
 * A Redis database that no other test file uses at the same time: keys contain account ids, which begin anew in every
 * file's database.
 */
export function redisUrl(): string {
  const url = new URL(required('TEST_REDIS_URL'));
  redisDatabase = (redisDatabase + 1) % 64;
  url.pathname = `/${(Number(process.env['JEST_WORKER_ID'] ?? '1') % 3) * 64 + redisDatabase}`;
  return url.href;
}

let redisDatabase = 0;

export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run \`npm test\`, which starts the services`);
  return value;
}
