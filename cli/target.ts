import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { openDatabase, type Database } from '../db/database.ts';
import { SetupError } from '../domain/setup-error.ts';
import type { Config } from '../platform/config/config.ts';
import type { Temporal } from '../platform/temporal/connection.ts';
import { isAlive } from '../scripts/services/identity.ts';
import { readServices, type Stored } from '../scripts/services/registry.ts';

/** A command reads the configuration when it runs, so that `--help` works under a wrong one. */
export type ReadConfig = () => Config;

/** The stack that a living `npm start` runs on DATA_DIR; null when there is none. */
export function findRunningStack({ dataDir }: Pick<Config, 'dataDir'>): Stored | null {
  const folder = resolve(dataDir);
  if (!existsSync(folder)) return null;
  const stored = readServices(realpathSync(folder));
  return stored !== null && isAlive(stored.owner) ? stored : null;
}

/** Opens the database that a command works on. @throws SetupError when there is none or it does not answer. */
export async function withDatabase<T>(
  config: Config,
  work: (database: Database, url: string) => Promise<T>,
): Promise<T> {
  const url = config.database.url ?? findRunningStack(config)?.services.find(({ name }) => name === 'postgresql')?.url;
  if (url === undefined) throw new SetupError('No database: set DATABASE_URL, or run `npm start` and keep it running.');
  const database = await openDatabase({ url, poolMax: 2 });
  try {
    await database.ping().catch((cause: unknown) => {
      throw new SetupError(
        `PostgreSQL at ${hostOf(url)} does not answer (${cause instanceof Error ? cause.message : 'unknown'}).`,
        { cause },
      );
    });
    return await work(database, url);
  } finally {
    await database.close();
  }
}

/**
 * Connects the Temporal server that a command works on. Its client is loaded only here: a command without it takes a
 * third less CPU to start (test/bootstrap/modules.test.ts).
 * @throws SetupError when there is none or it does not answer within 10 s.
 */
export async function openTemporal(config: Config): Promise<Temporal> {
  const address =
    config.temporal.address ?? findRunningStack(config)?.services.find(({ name }) => name === 'temporal')?.url;
  if (address === undefined)
    throw new SetupError('No Temporal server: set TEMPORAL_ADDRESS, or run `npm start` and keep it running.');
  const { connectTemporal } = await import('../platform/temporal/connection.ts');
  return connectTemporal({ ...config.temporal, address });
}

/** @throws as `openTemporal`. */
export async function withTemporal<T>(config: Config, work: (temporal: Temporal) => Promise<T>): Promise<T> {
  const temporal = await openTemporal(config);
  try {
    return await work(temporal);
  } finally {
    await temporal.close();
  }
}

/** The address without user and password. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? `${new URL(url).host}${new URL(url).pathname}` : 'the configured URL';
}
