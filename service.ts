import { startApi, type Api } from './api/main.ts';
import { openDatabase, type Database } from './db/database.ts';
import { refuseForgetfulPooler } from './db/driver/pooler.ts';
import { assertMigrated } from './db/migrate.ts';
import { keepRates } from './db/money/keep-rates.ts';
import { createFigures, createPaymentFigures } from './db/reports/figures.ts';
import { readTokenStats } from './db/reports/token-stats.ts';
import type { Planner } from './domain/schedules.ts';
import { SetupError } from './domain/setup-error.ts';
import { openChannels } from './operations/channels/channels.ts';
import { openObjects } from './operations/files/open-objects.ts';
import { openShop } from './operations/payments/open-shop.ts';
import { openPlanner } from './operations/schedules/open-planner.ts';
import type { Config } from './platform/config/config.ts';
import { createModelClient } from './platform/model/client.ts';
import { createPdfMaker } from './platform/pdf/pdf-maker.ts';
import { createTokenCounter } from './platform/tokens/token-counter.ts';
import { loadEncoding } from './platform/tokens/tokenizer.ts';
import { openRedis, type Redis } from './platform/redis.ts';
import { createIssuer } from './platform/sign-in/issuer.ts';
import { createStatsCache } from './platform/stats-cache.ts';
import { createAccountFeed } from './platform/streams/account-feed.ts';
import { createPresence } from './platform/streams/presence.ts';
import { createTurnFeed } from './platform/streams/turn-feed.ts';
import { createLog, type Logger } from './platform/telemetry/log.ts';
import { openMetricsDoor } from './platform/telemetry/metrics-door.ts';
import { createMetrics, countAndLogEndings, type Metrics } from './platform/telemetry/metrics.ts';
import type { Tracing } from './platform/telemetry/span.ts';
import { openTracing, traceStatements } from './platform/telemetry/tracing.ts';
import { connectTemporal, type Temporal } from './platform/temporal/connection.ts';
import { createPaymentRuns } from './platform/temporal/payment-runs.ts';
import { createRedrives, createTemporalLinks } from './platform/temporal/redrives.ts';
import { createOutwardRuns } from './platform/temporal/resends.ts';
import { createTurnRuns, type TurnRuns } from './platform/temporal/turn-runs.ts';
import { installRuntime, startWorker, type RunningWorker } from './worker/main.ts';

/** The composition root: the one place where the parts of a process, whatever its role, are made and wired by hand. */
export interface Service {
  /**
   * Opens the parts one after the other. A start that fails closes the parts it has opened.
   * @throws SetupError for what whoever started the process can mend.
   */
  start(): Promise<RunningService>;
  /** Closes the parts in reverse order, even if one of them cannot be closed. Closing again is harmless. */
  close(): Promise<void>;
}

export interface RunningService {
  /** Where the API listens; null when this process has none. */
  readonly url: string | null;
  /** Rejects when a part fails for good. */
  readonly failed: Promise<void>;
  readonly database: Database;
  readonly redis: Redis;
  readonly temporal: Temporal;
  readonly runs: TurnRuns;
  readonly planner: Planner;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** Starts another worker on the same queues. It is closed with the service, if not before. */
  startWorker(build?: Build): Promise<RunningWorker>;
}

/** The version that a worker reports and the workflow code it runs. By default those of this program. */
export interface Build {
  readonly version?: { readonly deploymentName: string; readonly buildId: string };
  readonly workflowBundle?: { readonly code: string };
}

/** What tests change that the configuration cannot express. */
export interface Overrides {
  readonly log?: Logger;
  /** The time, for what PostgreSQL's clock decides and for what this process's does; milliseconds since the epoch. */
  readonly now?: () => number;
  /** How long PostgreSQL may take to answer before its connection is given up. */
  readonly answerWithinMs?: number;
  /** How long an answer may wait for a reader that takes none of it. */
  readonly stalledAfterMs?: number;
  /**
   * Reads the SDK's figures where the process has already installed Temporal's runtime, which works only once a
   * process.
   */
  readonly readSdk?: (() => Promise<string>) | null;
}

export function createService(config: Config, overrides: Overrides = {}): Service {
  const log =
    overrides.log ?? createLog({ name: `turnkeeper-${config.role}`, level: config.log.level, file: config.log.file });
  const closers: Closers = [];
  async function close(): Promise<void> {
    log.info('stopping');
    for (const close of closers.splice(0).reverse())
      await close().catch((error: unknown) => log.error({ err: error }, 'a part did not close'));
  }
  return {
    async start() {
      try {
        return await start(config, { ...overrides, log }, closers);
      } catch (error) {
        await close();
        throw error;
      }
    },
    close,
  };
}

/** What closes the open parts, in the order of their opening. */
type Closers = (() => Promise<void>)[];
type Parts = Awaited<ReturnType<typeof openParts>>;

async function start(
  config: Config,
  overrides: Overrides & { readonly log: Logger },
  closers: Closers,
): Promise<RunningService> {
  const parts = await openParts(config, overrides, closers);
  const startOneWorker = (build: Build = {}) => openWorker(config, parts, closers, build);
  const worker = config.role === 'api' ? null : await startOneWorker();
  const api = config.role === 'worker' ? null : await openApi(config, parts, overrides);
  // Answers that nobody can take up elsewhere come while its turns finish.
  closers.push(async () => api?.close(async () => worker?.close()));
  const failed = worker?.done ?? new Promise<void>(() => {});
  return { ...parts, url: api?.url ?? null, failed, startWorker: startOneWorker };
}

/** Opens what the API and the worker share. */
async function openParts(
  config: Config,
  { log, now, answerWithinMs, readSdk }: Overrides & { readonly log: Logger },
  closers: Closers,
) {
  const { role } = config;
  const clock = now ?? Date.now;
  const metrics = createMetrics({
    role,
    readSdk:
      readSdk === undefined ? installRuntime(log, { metrics: role !== 'worker' || config.metrics !== null }) : readSdk,
  });
  const tracing = await openTracing(config.tracing, role, log);
  // Tracing closes last: the parts that close before it may still send spans.
  closers.push(() => tracing.close());
  const url = required(config.database.url, 'DATABASE_URL');
  await refuseForgetfulPooler(url);
  const database = await openDatabase({
    url,
    poolMax: config.database.poolMax,
    answerWithinMs,
    now,
    onTurnEnded: countAndLogEndings(metrics, log),
    traceStatement: traceStatements(tracing),
  });
  closers.push(() => database.close());
  await assertMigrated(database);
  const rates = await keepRates({ database, log }, config.models);
  closers.push(() => rates.close());
  for (const { encoding } of rates.models) loadEncoding(encoding);
  const [counter, pdf] = [createTokenCounter(), createPdfMaker()];
  for (const thread of [counter, pdf]) closers.push(() => thread.close());
  const redis = await openRedis(required(config.redis.url, 'REDIS_URL'), log, tracing);
  closers.push(() => redis.close());
  const shop = await openShop(database, config);
  metrics.observe({
    figures: createFigures(database),
    payments: createPaymentFigures(database, shop.providers),
    pool: database.pool,
    clockSkew: () => database.ping().then((at) => clock() - at),
    redis,
  });
  if (config.metrics !== null) {
    const door = await openMetricsDoor(metrics, config.metrics);
    closers.push(() => door.close());
    log.info({ url: door.url }, 'metrics are served');
  }
  const temporal = await connectTemporal(config.temporal, tracing);
  closers.push(() => temporal.close());
  const { taskQueuePrefix } = config.temporal;
  const channels = await openChannels(database, config);
  closers.push(() => channels.close());
  if (channels.mailer === null) log.info('mail is off: SMTP_URL is not set');
  return {
    database,
    redis,
    temporal,
    codec: temporal.dataConverter.payloadCodecs?.[0] ?? null,
    models: rates.models,
    objects: await openObjects({ database, log, metrics }, config.files.objects),
    counter,
    pdf,
    feed: createTurnFeed(redis),
    runs: createTurnRuns(temporal, { taskQueuePrefix, eager: role === 'all' }),
    redrives: createRedrives(temporal, { taskQueuePrefix }),
    paymentRuns: createPaymentRuns(temporal, { taskQueuePrefix }),
    ...createOutwardRuns(temporal, { taskQueuePrefix }),
    channels,
    shop,
    planner: openPlanner(temporal.client, config.temporal, database),
    stats: createStatsCache({ redis, compute: () => readTokenStats(database) }),
    log,
    metrics,
    tracing,
    now: clock,
  };
}

async function openWorker(config: Config, parts: Parts, closers: Closers, build: Build): Promise<RunningWorker> {
  const model = createModelClient(config.openai, parts.tracing);
  closers.push(() => model.close());
  const worker = await startWorker(
    parts.temporal,
    {
      ...parts,
      model,
      reconcile: { quietMs: config.reconcile.quietSeconds * 1_000, apiTextSeconds: config.apiTextSeconds },
      purchaseUrl: config.policy.purchaseUrl,
    },
    {
      taskQueuePrefix: config.temporal.taskQueuePrefix,
      ...config.worker,
      version: build.version ?? config.worker.version,
      reconcileEverySeconds: config.reconcile.everySeconds,
      tracing: parts.tracing,
      workflowStacks: config.log.level === 'debug' || config.log.level === 'trace',
    },
    build.workflowBundle,
  );
  closers.push(() => worker.close());
  return worker;
}

function openApi(config: Config, parts: Parts, { stalledAfterMs }: Overrides): Promise<Api> {
  return startApi(
    {
      ...parts,
      config,
      issuer: config.oidc === null ? null : createIssuer(config.oidc, parts),
      accountFeed: createAccountFeed(parts.redis),
      presence: createPresence(parts.redis),
      links: createTemporalLinks({ uiUrl: config.temporal.uiUrl, namespace: parts.temporal.namespace }),
    },
    { graceMs: config.worker.shutdownGraceSeconds * 1_000, stalledAfterMs },
  );
}

function required(value: string | undefined, name: string): string {
  if (value === undefined) throw new SetupError(`${name}: must be set (or let \`npm start\` run everything).`);
  return value;
}
