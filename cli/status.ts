import type { Command } from 'commander';
import { assertMigrated } from '../db/migrate.ts';
import { SetupError } from '../domain/setup-error.ts';
import type { Config } from '../platform/config/config.ts';
import { isAlive } from '../scripts/services/identity.ts';
import { print } from './output.ts';
import { findRunningStack, hostOf, withDatabase, type ReadConfig } from './target.ts';
import { readPostgresVersion, readRedisVersion, readTemporalVersion } from './versions.ts';

/** Null: not configured, or not running. */
interface Status {
  readonly api: string | null;
  readonly docs: string | null;
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    readonly ui: string | null;
    readonly version: string | null;
  } | null;
  readonly postgres: { readonly url: string; readonly version: string | null; readonly schema: string } | null;
  readonly redis: { readonly url: string; readonly version: string | null } | null;
  /** The processes that `npm start` on DATA_DIR began. */
  readonly services: readonly {
    readonly name: string;
    readonly pid: number;
    readonly port: number | null;
    readonly running: boolean;
  }[];
}

export function addStatus(program: Command, readConfig: ReadConfig): void {
  program
    .command('status')
    .description(
      "what runs, where and in which version, and whether the database's schema is current; exit code 1 when nothing runs",
    )
    .option(
      '--json',
      'print {"api", "docs", "temporal": {"address", "namespace", "ui"}, "postgres": {"url"}, "redis": {"url"}, …}; URLs hold their passwords',
    )
    .action(async ({ json }: { json?: boolean }) => {
      const status = await readStatus(readConfig());
      print(status, { json, text: textOf(status) });
    });
}

async function readStatus(config: Config): Promise<Status> {
  const stack = findRunningStack(config);
  const found = stack?.addresses;
  const postgresUrl = found?.postgres.url ?? config.database.url;
  const redisUrl = found?.redis.url ?? config.redis.url;
  const temporalAddress = found?.temporal.address ?? config.temporal.address;
  if (stack === null && postgresUrl === undefined && redisUrl === undefined && temporalAddress === undefined) {
    throw new SetupError(
      `Nothing runs on ${config.dataDir}, and no service is set in the environment: run \`npm start\`.`,
    );
  }
  const api = found?.api ?? (await findApi(config));
  const [postgres, redis, temporal] = await Promise.all([
    readPostgres(config, postgresUrl),
    readRedis(redisUrl),
    readTemporal(config, temporalAddress, found?.temporal.ui),
  ]);
  const services = (stack?.services ?? []).map(({ name, pid, port, startTime }) => ({
    name,
    pid,
    port,
    running: isAlive({ pid, startTime }),
  }));
  return { api, docs: api === null ? null : `${api}/api/docs`, temporal, postgres, redis, services };
}

async function readPostgres(config: Config, url: string | undefined): Promise<Status['postgres']> {
  if (url === undefined) return null;
  try {
    return await withDatabase({ ...config, database: { ...config.database, url } }, async (database) => {
      const schema = await assertMigrated(database).then(
        () => 'current',
        (error: unknown) => {
          if (error instanceof SetupError) return 'older than this program: run `migrate`';
          throw error;
        },
      );
      return { url, version: await readPostgresVersion(database), schema };
    });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { url, version: null, schema: 'unknown' };
  }
}

async function readRedis(url: string | undefined): Promise<Status['redis']> {
  return url === undefined ? null : { url, version: await readRedisVersion(url) };
}

async function readTemporal(
  { temporal }: Config,
  address: string | undefined,
  ui: string | null | undefined,
): Promise<Status['temporal']> {
  if (address === undefined) return null;
  return {
    address,
    namespace: temporal.namespace,
    ui: ui ?? temporal.uiUrl ?? null,
    version: await readTemporalVersion({ ...temporal, address }),
  };
}

/** The API of an app that runs on the person's own services. */
async function findApi({ http: { host, port } }: Config): Promise<string | null> {
  const url = `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host}:${port}`;
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
  return answer?.ok === true ? url : null;
}

function textOf({ api, docs, temporal, postgres, redis, services }: Status): string {
  const version = (known: string | null) => known ?? 'does not answer';
  const lines = [
    ['app', api ?? 'does not run'],
    ...(docs === null ? [] : [['API', docs]]),
    ...(postgres === null
      ? []
      : [
          ['PostgreSQL', `${version(postgres.version)}  ${hostOf(postgres.url)}`],
          ['schema', postgres.schema],
        ]),
    ...(redis === null ? [] : [['Redis', `${version(redis.version)}  ${hostOf(redis.url)}`]]),
    ...(temporal === null
      ? []
      : [['Temporal', `${version(temporal.version)}  ${temporal.address}  namespace ${temporal.namespace}`]]),
    ...(temporal?.ui == null ? [] : [['Temporal UI', temporal.ui]]),
    ...services.map(({ name, pid, port, running }) => [
      'process',
      `${name.padEnd(10)} pid ${pid}${port === null ? '' : `, port ${port}`}${running ? '' : ', ended'}`,
    ]),
  ];
  return lines.map(([name = '', value = '']) => `${name.padEnd(11)} ${value}`).join('\n');
}
