import { startApi } from './api/main.ts';
import { openDatabase } from './db/database.ts';
import { assertMigrated } from './db/migrate.ts';
import { publishRates } from './db/money/rates.ts';
import { createFigures } from './db/reports/figures.ts';
import { readTokenStats } from './db/reports/token-stats.ts';
import { SetupError } from './domain/setup-error.ts';
import { readConfig, type Config } from './platform/config/config.ts';
import { createModelClient } from './platform/model/client.ts';
import { countTokens, loadEncoding } from './platform/model/tokenizer.ts';
import { openRedis } from './platform/redis.ts';
import { createIssuer } from './platform/sign-in/issuer.ts';
import { createStatsCache } from './platform/stats-cache.ts';
import { createAccountFeed } from './platform/streams/account-feed.ts';
import { createTurnFeed } from './platform/streams/turn-feed.ts';
import { createLog, type Logger } from './platform/telemetry/log.ts';
import { openMetricsDoor } from './platform/telemetry/metrics-door.ts';
import { createMetrics, tellEndings, type Metrics } from './platform/telemetry/metrics.ts';
import type { Tracing } from './platform/telemetry/span.ts';
import { openTracing, traceStatements } from './platform/telemetry/tracing.ts';
import { connectTemporal } from './platform/temporal/connection.ts';
import { createPlanner } from './platform/temporal/planner.ts';
import { createRedrives, createTemporalLinks } from './platform/temporal/redrives.ts';
import { createTurnRuns } from './platform/temporal/turn-runs.ts';
import { installRuntime, startWorker } from './worker/main.ts';

/** The composition root: what is opened here is closed in reverse order when the process is asked to stop. */
async function main(): Promise<void> {
  const config = readConfig();
  const log = createLog({ name: `turnkeeper-${config.role}`, level: config.log.level, file: config.log.file });
  const readSdk = installRuntime(log, { metrics: config.role !== 'worker' || config.metrics !== null });
  const metrics = createMetrics({ role: config.role, readSdk });
  const tracing = await openTracing(config.tracing, config.role, log);
  // Last of all: what closes before may still have something to say.
  const closers: (() => Promise<void>)[] = [() => tracing.close()];
  const stopped = waitForSignal();
  try {
    const { failed } = await run(config, { log, metrics, tracing }, closers);
    await Promise.race([stopped, failed]);
  } finally {
    log.info('stopping');
    for (const close of closers.reverse())
      await close().catch((error: unknown) => log.error({ err: error }, 'a part did not close'));
  }
}

/**
 * @returns `failed` rejects when a running part fails for good. In an object, because an async function would wait for
 *   a bare promise.
 */
async function run(
  config: Config,
  { log, metrics, tracing }: { log: Logger; metrics: Metrics; tracing: Tracing },
  closers: (() => Promise<void>)[],
): Promise<{ failed: Promise<void> }> {
  const database = await openDatabase({
    url: required(config.database.url, 'DATABASE_URL'),
    poolMax: config.database.poolMax,
    onTurnEnded: tellEndings(metrics, log),
    traceStatement: traceStatements(tracing),
  });
  closers.push(() => database.close());
  await assertMigrated(database);
  const models = await publishRates(database, config.models);
  for (const { encoding } of models) loadEncoding(encoding);
  const redis = await openRedis(required(config.redis.url, 'REDIS_URL'), log, tracing);
  closers.push(() => redis.close());
  metrics.observe({ figures: createFigures(database), pool: database.pool, redis });
  if (config.metrics !== null) {
    const door = await openMetricsDoor(metrics, config.metrics);
    closers.push(() => door.close());
    log.info({ url: door.url }, 'metrics are served');
  }
  const feed = createTurnFeed(redis);
  const accountFeed = createAccountFeed(redis);
  const temporal = await connectTemporal(config.temporal, tracing);
  closers.push(() => temporal.close());

  const works = config.role !== 'api';
  const serves = config.role !== 'worker';
  const { taskQueuePrefix } = config.temporal;
  const runs = createTurnRuns(temporal, { taskQueuePrefix, eager: works && serves });
  const stats = createStatsCache({ redis, compute: () => readTokenStats(database, Date.now()) });
  const planner = createPlanner(temporal.client, { taskQueuePrefix });
  const failures: Promise<void>[] = [];
  if (works) {
    const model = createModelClient(config.openai, tracing);
    closers.push(() => model.close());
    const worker = await startWorker(
      temporal,
      {
        database,
        redis,
        feed,
        model,
        models,
        countTokens,
        runs,
        planner,
        stats,
        log,
        metrics,
        now: Date.now,
        reconcile: { quietMs: config.reconcile.quietSeconds * 1_000 },
        purchaseUrl: config.policy.purchaseUrl,
      },
      { taskQueuePrefix, ...config.worker, reconcileEverySeconds: config.reconcile.everySeconds, tracing },
    );
    closers.push(() => worker.close());
    failures.push(worker.done);
  }
  if (serves) {
    const links = createTemporalLinks({ uiUrl: config.temporal.uiUrl, namespace: temporal.namespace });
    const issuer = config.oidc === null ? null : createIssuer(config.oidc, { log, now: Date.now });
    const redrives = createRedrives(temporal, { taskQueuePrefix });
    const api = await startApi({
      config,
      models,
      database,
      issuer,
      redis,
      feed,
      accountFeed,
      runs,
      planner,
      stats,
      redrives,
      links,
      countTokens,
      log,
      metrics,
      tracing,
      now: Date.now,
    });
    closers.push(() => api.close());
    log.info({ url: api.url }, 'listening');
  }
  return { failed: failures.length === 0 ? new Promise(() => {}) : Promise.race(failures) };
}

function required(value: string | undefined, name: string): string {
  if (value === undefined) throw new SetupError(`${name}: must be set (or let \`npm start\` run everything).`);
  return value;
}

function waitForSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

try {
  await main();
  process.exit(0);
} catch (error) {
  if (error instanceof SetupError) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
