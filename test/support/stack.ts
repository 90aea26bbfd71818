import { randomUUID } from 'node:crypto';
import { startApi, type Api } from '../../api/main.ts';
import { publishRates } from '../../db/money/rates.ts';
import { createUser } from '../../db/people/users.ts';
import { createFigures } from '../../db/reports/figures.ts';
import { readTokenStats } from '../../db/reports/token-stats.ts';
import type { Planner } from '../../domain/schedules.ts';
import { readConfig } from '../../platform/config/config.ts';
import { createModelClient } from '../../platform/model/client.ts';
import { countTokens } from '../../platform/model/tokenizer.ts';
import { openRedis, type Redis } from '../../platform/redis.ts';
import { createIssuer } from '../../platform/sign-in/issuer.ts';
import { createStatsCache } from '../../platform/stats-cache.ts';
import { createAccountFeed } from '../../platform/streams/account-feed.ts';
import { createTurnFeed } from '../../platform/streams/turn-feed.ts';
import { createLog, type Logger } from '../../platform/telemetry/log.ts';
import { createMetrics, tellEndings, type Metrics } from '../../platform/telemetry/metrics.ts';
import type { Tracing } from '../../platform/telemetry/span.ts';
import { openTracing, traceStatements } from '../../platform/telemetry/tracing.ts';
import { connectTemporal, type Temporal } from '../../platform/temporal/connection.ts';
import { createPlanner } from '../../platform/temporal/planner.ts';
import { createRedrives, createTemporalLinks } from '../../platform/temporal/redrives.ts';
import { createTurnRuns, type TurnRuns } from '../../platform/temporal/turn-runs.ts';
import { installRuntime, startWorker, type RunningWorker } from '../../worker/main.ts';
import { startFakeModel, type FakeModel } from '../fake-model/server.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import type { Proxy } from './proxy.ts';

export interface Person {
  readonly userId: number;
  readonly token: string;
  /** A request with the person's token; `body` is sent as JSON. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Headers; body: any }>;
  /** The raw answer, for streams. */
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
  readonly db: TestDatabase;
  readonly redis: Redis;
  readonly temporal: Temporal;
  readonly runs: TurnRuns;
  readonly planner: Planner;
  /** Before the names of its queues and schedules. */
  readonly taskQueuePrefix: string;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  person(role?: 'user' | 'admin'): Promise<Person>;
  /**
   * A worker beside those that run, on the same queues. `close` lets no stream finish: it is cut, and another worker
   * takes its turn.
   * @param build the version it says it is, and the workflow code it runs.
   */
  startWorker(build?: Build): Promise<RunningWorker>;
  close(): Promise<void>;
}

export interface Build {
  readonly version?: { readonly deploymentName: string; readonly buildId: string };
  readonly workflowBundle?: { readonly code: string };
}

let readSdk: (() => Promise<string>) | null = null;

/**
 * @param env more variables, as a person would set them.
 * @param options.works false: no worker runs.
 * @param options.log instead of silence.
 * @param options.now the policy's clock.
 * @param options.postgresql between the service and the server.
 */
export async function startTestStack(
  env: Record<string, string> = {},
  options: {
    works?: boolean;
    log?: Logger;
    now?: () => number;
    postgresql?: { by: Proxy; answerWithinMs?: number };
  } = {},
): Promise<TestStack> {
  const log = options.log ?? createLog({ name: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
  readSdk ??= installRuntime(log, { metrics: true });
  const metrics = createMetrics({ role: 'all', readSdk });
  const closers: (() => Promise<void>)[] = [];
  const model = await startFakeModel();
  closers.push(() => model.close());
  const config = readConfig({
    HOST: '127.0.0.1',
    PORT: '0',
    TEST_ROUTES: 'true',
    TASK_QUEUE_PREFIX: `${randomUUID()}-`,
    RECONCILE_EVERY_SECONDS: '86400',
    RECONCILE_QUIET_SECONDS: '1',
    SHUTDOWN_GRACE_SECONDS: '1',
    SENDS_PER_MINUTE: '100000',
    READS_PER_SECOND: '100000',
    TEMPORAL_ADDRESS: required('TEST_TEMPORAL_ADDRESS'),
    REDIS_URL: redisUrl(),
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: 'sk-secret-of-the-test',
    ...env,
  });
  const tracing = await openTracing(config.tracing, config.role, log);
  closers.push(() => tracing.close());
  const db = await createTestDatabase({
    poolMax: 20,
    onTurnEnded: tellEndings(metrics, log),
    traceStatement: traceStatements(tracing),
    ...options.postgresql,
  });
  closers.push(() => db.close());
  const redis = await openRedis(config.redis.url ?? '', log, tracing);
  closers.push(() => redis.close());
  await redis.commands.flushDb();
  const feed = createTurnFeed(redis);
  const accountFeed = createAccountFeed(redis);
  const temporal = await connectTemporal(config.temporal, tracing);
  closers.push(() => temporal.close());
  const { taskQueuePrefix } = config.temporal;
  const works = options.works ?? true;
  const now = options.now ?? Date.now;
  const runs = createTurnRuns(temporal, { taskQueuePrefix, eager: works });
  const planner = createPlanner(temporal.client, { taskQueuePrefix });
  const { database } = db;
  const models = await publishRates(database, config.models);
  const stats = createStatsCache({ redis, compute: () => readTokenStats(database, now()) });
  metrics.observe({ figures: createFigures(database), pool: database.pool, redis });
  async function startOneWorker({ version, workflowBundle }: Build = {}): Promise<RunningWorker> {
    const client = createModelClient(config.openai, tracing);
    const worker = await startWorker(
      temporal,
      {
        database,
        redis,
        feed,
        model: client,
        models,
        countTokens,
        runs,
        planner,
        stats,
        log,
        metrics,
        now,
        reconcile: { quietMs: config.reconcile.quietSeconds * 1_000 },
        purchaseUrl: config.policy.purchaseUrl,
      },
      {
        taskQueuePrefix,
        ...config.worker,
        version: version ?? config.worker.version,
        reconcileEverySeconds: config.reconcile.everySeconds,
        tracing,
      },
      workflowBundle,
    );
    closers.push(
      () => worker.close(),
      () => client.close(),
    );
    return worker;
  }
  if (works) await startOneWorker();
  const api: Api = await startApi({
    config,
    models,
    database,
    issuer: config.oidc === null ? null : createIssuer(config.oidc, { log, now }),
    redis,
    feed,
    accountFeed,
    runs,
    planner,
    stats,
    redrives: createRedrives(temporal, { taskQueuePrefix }),
    links: createTemporalLinks({ uiUrl: config.temporal.uiUrl, namespace: temporal.namespace }),
    countTokens,
    log,
    metrics,
    tracing,
    now,
  });
  closers.push(() => api.close());
  return {
    url: api.url,
    model,
    db,
    redis,
    temporal,
    runs,
    planner,
    taskQueuePrefix,
    metrics,
    tracing,
    async person(role = 'user') {
      const { userId, token } = await createUser(database, { email: null, role });
      return speak(api.url, userId, token);
    },
    startWorker: startOneWorker,
    async close() {
      for (const close of closers.reverse()) await close();
    },
  };
}

/** @param url where the API is; a function when that changes. */
export function speak(url: string | (() => string), userId: number, token: string): Person {
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
 * A Redis database of its own per test process file: keys name accounts, whose ids every file's database begins anew.
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
