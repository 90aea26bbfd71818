import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { SearchAttributeType } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract.ts';
import { SetupError } from './say.ts';
import { dockerRun, external, freePort, hasDocker, launch, type Ground, type Service } from './service.ts';
import { findTemporal } from './temporal-cli.ts';

export interface TemporalService extends Service {
  /** Null for a server of somebody else's that has not said. */
  readonly uiUrl: string | null;
}

/** `TEMPORAL_ADDRESS`, else the official CLI's server: found, downloaded or built, else docker. */
export async function startTemporal(ground: Ground, settings: { address: string | undefined; uiUrl: string | undefined }): Promise<TemporalService> {
  if (settings.address !== undefined) return { ...external('temporal', settings.address, 'Temporal at TEMPORAL_ADDRESS'), uiUrl: settings.uiUrl ?? null };
  const [port, uiPort] = [await freePort(), await freePort()];
  const url = `127.0.0.1:${port}`;
  const folder = join(ground.dataDir, 'temporal');
  mkdirSync(folder, { recursive: true });
  const shared = { name: 'temporal', url, said: 'Temporal (its own dev server)', isReady: () => answers(url), withinMs: 60_000 };
  // On two cores one Go thread and a lazy collector cost a turn 2.5 ms less (docs/architecture.md).
  const env = { GOMAXPROCS: '1', GOGC: '400' };
  const cli = await findTemporal();
  if (cli !== null) {
    const args = [...serverArgs('127.0.0.1', port, uiPort), '--db-filename', join(folder, 'temporal.db')];
    return { ...await launch(ground, { ...shared, file: cli, args, env }), uiUrl: `http://127.0.0.1:${uiPort}` };
  }
  if (await hasDocker()) {
    const args = dockerRun({ [port]: 7233, [uiPort]: 8233 }, 'temporalio/temporal:1.5.1', serverArgs('0.0.0.0', 7233, 8233));
    return { ...await launch(ground, { ...shared, file: 'docker', args, withinMs: 300_000 }), uiUrl: `http://127.0.0.1:${uiPort}` };
  }
  throw new SetupError('No Temporal: install the Temporal CLI (https://docs.temporal.io/cli) or Go, or set TEMPORAL_ADDRESS.');
}

/**
 * The two MaxPollRPS lines matter most: by default every hop that is not eager waits for a 50 ms beat on the one-shard dev server.
 * SQLite in WAL mode without a sync a commit: only PostgreSQL holds what must not be lost.
 */
function serverArgs(ip: string, port: number, uiPort: number): string[] {
  const attributes = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => `${name}=${type === SearchAttributeType.BOOL ? 'Bool' : 'Keyword'}`);
  return [
    'server', 'start-dev', '--ip', ip, '--port', String(port), '--ui-port', String(uiPort), '--log-level', 'warn',
    '--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=OFF',
    ...attributes.flatMap((attribute) => ['--search-attribute', attribute]),
    ...['system.enableActivityEagerExecution=true', 'system.enableEagerWorkflowStart=true',
      'history.transferProcessorMaxPollRPS=2000', 'history.timerProcessorMaxPollRPS=2000'].flatMap((value) => ['--dynamic-config-value', value]),
  ];
}

async function answers(address: string): Promise<boolean> {
  const connection = await NativeConnection.connect({ address });
  try {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return true;
  } finally {
    await connection.close();
  }
}
