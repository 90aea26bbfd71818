import { chmodSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { SearchAttributeType } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { SetupError } from '../../../domain/setup-error.ts';
import { SEARCH_ATTRIBUTES } from '../../../workflows/contract/search-attributes.ts';
import { hasDocker, prepareContainer } from '../docker.ts';
import { freePort, onFreePort } from '../port.ts';
import { external, launch, type ServiceContext, type Service } from '../service.ts';
import { findTemporal } from './cli.ts';

export interface TemporalService extends Service {
  /** Null when somebody else's server has no TEMPORAL_UI_URL. */
  readonly uiUrl: string | null;
}

export interface TemporalSettings {
  readonly address: string | undefined;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
}

/** `TEMPORAL_ADDRESS`, else the official CLI's server: found, downloaded or built, else docker. */
export async function startTemporal(
  context: ServiceContext,
  { address, namespace, uiUrl }: TemporalSettings,
): Promise<TemporalService> {
  if (address !== undefined)
    return { ...external('temporal', address, 'Temporal at TEMPORAL_ADDRESS'), uiUrl: uiUrl ?? null };
  const folder = join(context.dataDir, 'temporal');
  mkdirSync(folder, { recursive: true });
  const cli = await findTemporal(context.stopping);
  context.stopping.throwIfAborted();
  return onFreePort(async (port) => {
    const [uiPort, httpPort] = [await freePort(), await freePort()];
    const [url, ui] = [`127.0.0.1:${port}`, `http://127.0.0.1:${uiPort}`];
    const shared = { name: 'temporal', url, port, isReady: () => answers(url, namespace) };
    if (cli !== null) {
      const args = serverArgs({
        ip: '127.0.0.1',
        port,
        uiPort,
        httpPort,
        namespace,
        file: join(folder, 'temporal.db'),
      });
      // It gets half of the cores: on two cores, one Go thread and a lazy collector make a turn 2.5 ms faster
      // (docs/performance.md).
      const env = { GOMAXPROCS: String(Math.max(1, Math.floor(availableParallelism() / 2))), GOGC: '400' };
      return {
        ...(await launch(context, {
          ...shared,
          file: cli,
          args,
          env,
          label: 'Temporal (its own dev server)',
          withinMs: 60_000,
        })),
        uiUrl: ui,
      };
    }
    if (await hasDocker()) {
      // The container runs as another user, who must be able to write here.
      chmodSync(folder, 0o777);
      const args = await prepareContainer(context, {
        name: 'temporal',
        ports: { [port]: 7233, [uiPort]: 8233 },
        volumes: { [folder]: '/state' },
        image: 'temporalio/temporal:1.5.1',
        command: serverArgs({
          ip: '0.0.0.0',
          port: 7233,
          uiPort: 8233,
          httpPort: 7243,
          namespace,
          file: '/state/temporal.db',
        }),
      });
      return {
        ...(await launch(context, { ...shared, file: 'docker', args, label: 'Temporal (docker)', withinMs: 300_000 })),
        uiUrl: ui,
      };
    }
    throw new SetupError(
      'No Temporal: install the Temporal CLI (https://docs.temporal.io/cli) or Go, or set TEMPORAL_ADDRESS.',
    );
  });
}

/**
 * SQLite in WAL mode without a sync for each commit: only PostgreSQL holds what must not be lost. Nobody else opens the
 * file, so it is locked once instead of in every transaction, and 32 MB of it are kept in memory.
 */
const PRAGMAS = [
  'journal_mode=WAL',
  'synchronous=OFF',
  'locking_mode=EXCLUSIVE',
  'cache_size=-32000',
  'wal_autocheckpoint=8000',
];

/**
 * The transfer and timer lines matter most: by default, every step that is not eager waits for a 50 ms beat on the dev
 * server, which has one shard. The lists of the UI (58 indexes in SQLite) are updated once a second: a turn that is
 * over by then is written there once, not three times. Each update takes all tasks of its second (100 would fall behind
 * at 34 turns a second), but two at a time, so that a turn's own writes need not queue behind them. The dev server
 * reads the names of search attributes from its file six times a turn, some of them one after the other, so that a new
 * one is seen at once; ours are there before it starts, so it keeps them for a minute, as every other server does.
 */
const DYNAMIC_CONFIG = [
  'system.enableActivityEagerExecution=true',
  'system.enableEagerWorkflowStart=true',
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  'history.visibilityProcessorMaxPollRPS=1',
  'history.visibilityTaskBatchSize=2000',
  'history.visibilityProcessorSchedulerWorkerCount=2',
  'system.forceSearchAttributesCacheRefreshOnRead=false',
];

/**
 * The server's HTTP port cannot be turned off, and it takes the POST of any page that a browser has open, unasked and
 * as text: one ended running turns. So it serves only a host that no name server may know (RFC 2606). The Web UI's own
 * calls are gRPC behind its token against such posts.
 */
const NOBODY = 'frontend.httpAllowedHosts=["nobody.invalid"]';

function serverArgs(server: {
  ip: string;
  port: number;
  uiPort: number;
  httpPort: number;
  namespace: string;
  file: string;
}): string[] {
  const attributes = Object.values(SEARCH_ATTRIBUTES).map(
    ({ name, type }) => `${name}=${type === SearchAttributeType.BOOL ? 'Bool' : 'Keyword'}`,
  );
  return [
    'server',
    'start-dev',
    '--ip',
    server.ip,
    '--port',
    String(server.port),
    '--ui-port',
    String(server.uiPort),
    '--http-port',
    String(server.httpPort),
    '--log-level',
    'warn',
    '--db-filename',
    server.file,
    ...PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    ...(server.namespace === 'default' ? [] : ['--namespace', server.namespace]),
    ...attributes.flatMap((attribute) => ['--search-attribute', attribute]),
    ...[...DYNAMIC_CONFIG, NOBODY].flatMap((value) => ['--dynamic-config-value', value]),
  ];
}

async function answers(address: string, namespace: string): Promise<boolean> {
  const connection = await NativeConnection.connect({ address });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } finally {
    await connection.close();
  }
}
