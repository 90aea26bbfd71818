import { join } from 'node:path';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { SetupError } from '../domain/setup-error.ts';
import type { Config } from '../platform/config/config.ts';
import { mintDemoKeys, type DemoKeys } from './demo-keys.ts';
import { startModel } from './services/model/model.ts';
import { startPostgres } from './services/postgres/postgres.ts';
import { startShop } from './services/shop/shop.ts';
import { startRedis } from './services/redis.ts';
import { say } from './services/say.ts';
import type { Service, ServiceContext } from './services/service.ts';
import { ensureSearchAttributes } from './services/temporal/search-attributes.ts';
import { startTemporal } from './services/temporal/temporal.ts';

/** The running services that the app needs, and the variables by which it finds them. */
export interface Stack {
  readonly services: readonly Service[];
  readonly variables: Record<string, string>;
  readonly urls: { readonly postgres: string; readonly redis: string; readonly temporal: string };
  readonly temporalUi: string | null;
  /** Null in production and on a database that somebody else runs: no keys are minted there. */
  readonly demo: DemoKeys | null;
  stop(): Promise<void>;
}

/** Starts what is missing, migrates, and makes the demo users. When one part fails, all that was started is stopped. */
export async function startStack(config: Config, context: ServiceContext): Promise<Stack> {
  const embedded = config.database.url === undefined;
  const isDemoModel = config.openai.apiKey === undefined && config.openai.baseUrl === undefined;
  const parts = new Parts(context);
  const [{ postgres, demo }, redis, temporal, model, shop] = await parts.together((context) => [
    parts.start(startPostgres(context, config.database.url)).then(async (postgres) => ({
      postgres,
      demo: await prepare(postgres.url, context.dataDir, {
        embedded,
        demo: config.demo,
        directUrl: config.database.directUrl ?? postgres.url,
      }),
    })),
    parts.start(startRedis(context, config.redis.url)),
    parts.start(startTemporal(context, config.temporal)).then(async (temporal) => {
      if (config.temporal.address !== undefined) await ensureSearchAttributes(config.temporal);
      return temporal;
    }),
    parts.start(startModel(context, config.openai)),
    config.demo && embedded && isDemoModel ? parts.start(startShop(context)) : Promise.resolve(null),
  ]);
  return {
    services: parts.started,
    temporalUi: temporal.uiUrl,
    demo,
    stop: () => parts.stop(),
    urls: { postgres: postgres.url, redis: redis.url, temporal: temporal.url },
    variables: {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      TEMPORAL_ADDRESS: temporal.url,
      ...(temporal.uiUrl === null ? {} : { TEMPORAL_UI_URL: temporal.uiUrl }),
      ...(isDemoModel ? { OPENAI_BASE_URL: model.url } : {}),
      ...(shop === null ? {} : { DEMO_SHOP_URL: shop.url }),
      TURNKEEPER_EMBEDDED: String(embedded),
      // Decided here: the app is given the demo model as it is given a real one.
      TEST_ROUTES: String(config.testRoutes),
      LOG_FILE: config.log.file ?? join(context.dataDir, 'logs', 'application.log'),
      DATA_DIR: context.dataDir,
    },
  };
}

/** Services that start together and are all stopped when one fails. */
export class Parts {
  readonly started: Service[] = [];
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** @throws what the first part that failed threw; by then all parts are stopped, also those that came up later. */
  async together<T extends readonly Promise<unknown>[]>(
    begin: (context: ServiceContext) => readonly [...T],
  ): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
    const failed = new AbortController();
    const starting = begin({ ...this.#context, stopping: AbortSignal.any([this.#context.stopping, failed.signal]) });
    try {
      return await Promise.all(starting);
    } catch (error) {
      failed.abort();
      await Promise.allSettled(starting);
      await this.stop();
      throw error;
    }
  }

  async start<S extends Service>(starting: Promise<S>): Promise<S> {
    const service = await starting;
    this.started.push(service);
    say(`${service.label}: ready`);
    return service;
  }

  async stop(): Promise<void> {
    await Promise.all(this.started.splice(0).map((service) => service.stop()));
  }
}

async function prepare(
  url: string,
  dataDir: string,
  { embedded, demo, directUrl }: { embedded: boolean; demo: boolean; directUrl: string },
): Promise<DemoKeys | null> {
  const database = await openDatabase({ url, poolMax: 2 });
  try {
    if (!embedded)
      await database.ping().catch((cause: unknown) => {
        throw unreachable(url, cause);
      });
    const applied = await migrate(directUrl);
    if (applied.length > 0) say(`migrated: ${applied.join(', ')}`);
    return demo ? await mintDemoKeys(database, dataDir) : null;
  } finally {
    await database.close();
  }
}

/** Names host and database only, never the password. */
function unreachable(url: string, cause: unknown): SetupError {
  const { host, pathname } = new URL(url);
  return new SetupError(
    `DATABASE_URL: PostgreSQL at ${host}${pathname} does not answer (${cause instanceof Error ? cause.message : 'unknown'}).`,
    { cause },
  );
}
