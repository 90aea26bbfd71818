import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { authenticateToken, createToken, createUser, findAccount } from '../db/users.ts';
import type { Database } from '../db/database.ts';
import type { Config } from '../platform/config.ts';
import { Registry } from './services/registry.ts';
import { say } from './services/say.ts';
import { startModel } from './services/model.ts';
import { startPostgres } from './services/postgres.ts';
import { startRedis } from './services/redis.ts';
import { startTemporal } from './services/temporal.ts';
import type { Service } from './services/service.ts';

/** Everything the app needs, running, and the variables by which it finds them. */
export interface Stack {
  readonly services: readonly Service[];
  readonly variables: Record<string, string>;
  readonly temporalUi: string | null;
  /** Null on a database of somebody else's: nobody's key is minted there. */
  readonly demo: DemoKeys | null;
  stop(): Promise<void>;
}

export interface DemoKeys {
  readonly user: { readonly userId: 1; readonly token: string };
  readonly admin: { readonly userId: 2; readonly token: string };
}

/** Starts what is missing, migrates, makes the demo users. What was started is stopped when a part fails. */
export async function startStack(config: Config, dataDir: string): Promise<Stack> {
  const ground = { dataDir, registry: await Registry.claim(dataDir), throwAway: false };
  const services: Service[] = [];
  const stop = async () => {
    for (const service of services.splice(0).reverse()) await service.stop();
  };
  const start = async <S extends Service>(starting: Promise<S>): Promise<S> => {
    const service = await starting;
    services.push(service);
    say(`${service.said} ready`);
    return service;
  };
  try {
    const embedded = config.database.url === undefined;
    const starting = [
      start(startPostgres(ground, config.database.url)).then(async (postgres) => ({ postgres, demo: await prepare(postgres.url, dataDir, embedded) })),
      start(startRedis(ground, config.redis.url)),
      start(startTemporal(ground, { address: config.temporal.address, uiUrl: config.temporal.uiUrl })),
      start(startModel(ground, config.openai)),
    ] as const;
    // All of them, also when one fails: what comes up late must be stopped too.
    await Promise.allSettled(starting);
    const [{ postgres, demo }, redis, temporal, model] = await Promise.all(starting);
    const isDemoModel = config.openai.apiKey === undefined && config.openai.baseUrl === undefined;
    return {
      services, temporalUi: temporal.uiUrl, demo, stop,
      variables: {
        DATABASE_URL: postgres.url, REDIS_URL: redis.url, TEMPORAL_ADDRESS: temporal.url,
        ...(temporal.uiUrl === null ? {} : { TEMPORAL_UI_URL: temporal.uiUrl }),
        ...(isDemoModel ? { OPENAI_BASE_URL: model.url } : {}),
        TURNKEEPER_EMBEDDED: String(embedded),
        LOG_FILE: config.log.file ?? join(dataDir, 'logs', 'application.log'),
        DATA_DIR: dataDir,
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function prepare(url: string, dataDir: string, embedded: boolean): Promise<DemoKeys | null> {
  const database = await openDatabase({ url, poolMax: 2 });
  try {
    const applied = await migrate(database);
    if (applied.length > 0) say(`migrated: ${applied.join(', ')}`);
    return embedded ? await mintDemoKeys(database, dataDir) : null;
  } finally {
    await database.close();
  }
}

/** Once: the same keys with every start, and new ones when either the file or the database is another. */
async function mintDemoKeys(database: Database, dataDir: string): Promise<DemoKeys> {
  const file = join(dataDir, 'demo.json');
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Partial<DemoKeys> : {};
  const user = await keyFor(database, { id: 1, role: 'user', email: 'demo@turnkeeper.example' }, known.user?.token);
  const admin = await keyFor(database, { id: 2, role: 'admin', email: 'admin@turnkeeper.example' }, known.admin?.token);
  const keys: DemoKeys = { user: { userId: 1, token: user }, admin: { userId: 2, token: admin } };
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return keys;
}

async function keyFor(database: Database, user: { id: number; role: 'user' | 'admin'; email: string }, known: string | undefined): Promise<string> {
  if (known !== undefined && (await authenticateToken(database, known))?.userId === user.id) return known;
  const exists = (await findAccount(database.sql, user.id)) !== null;
  return exists ? (await createToken(database, { userId: user.id })).token : (await createUser(database, user)).token;
}
