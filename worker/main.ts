import { randomInt } from 'node:crypto';
import { DefaultLogger, Runtime, type RuntimeOptions } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.ts';
import { createActivities } from '../activities/index.ts';
import type { Logger } from '../platform/telemetry/log.ts';
import type { Temporal } from '../platform/temporal/connection.ts';
import { ensureSystemSchedules } from './schedules.ts';
import { createWorkers, type WorkerSettings } from './worker.ts';

export interface RunningWorker {
  /** Rejects when a worker fails for good. Resolves after `close`. */
  readonly done: Promise<void>;
  /** Takes no more work, lets running work finish within the grace time, and leaves the rest to other workers. */
  close(): Promise<void>;
}

/** A start that waits for ever would neither work nor be started again. */
const SCHEDULES_WITHIN_MS = 30_000;

export async function startWorker(
  temporal: Temporal,
  deps: ActivityDeps,
  settings: WorkerSettings & { readonly reconcileEverySeconds: number },
  workflowBundle?: { readonly code: string },
): Promise<RunningWorker> {
  await temporal.connection.withDeadline(Date.now() + SCHEDULES_WITHIN_MS, () =>
    ensureSystemSchedules(temporal.client, settings),
  );
  const workers = await createWorkers(temporal, createActivities(deps), settings, workflowBundle);
  const done = Promise.all(workers.map((worker) => worker.run())).then(() => {});
  // Whoever awaits `done` gets the failure. Without this line, a failure before that is an unhandled rejection.
  done.catch(() => {});
  return {
    done,
    async close() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await done.catch(() => {});
    },
  };
}

/**
 * Installs our logger, our own handling of signals, and with `metrics` the SDK's figures. Called once a process, before
 * the first connection.
 * @returns a function that reads those figures in Prometheus's text format; null without `metrics`.
 */
export function installRuntime(
  log: Logger,
  { metrics = false }: { metrics?: boolean } = {},
): (() => Promise<string>) | null {
  if (!metrics) {
    Runtime.install(runtimeOptions(log));
    return null;
  }
  const bindAddress = installOnFreePort((address) => Runtime.install(runtimeOptions(log, address)));
  return async () => (await fetch(`http://${bindAddress}/metrics`, { signal: AbortSignal.timeout(2_000) })).text();
}

/**
 * The SDK's exporter does not say on which port it listens, so a free one is chosen for it. Only this process reads it.
 */
function installOnFreePort(install: (address: string) => void): string {
  for (let tries = 1; ; tries++) {
    const address = `127.0.0.1:${randomInt(20_000, 32_000)}`;
    try {
      install(address);
      return address;
    } catch (error) {
      if (tries === 20 || !String(error).includes('in use')) throw error;
    }
  }
}

function runtimeOptions(log: Logger, bindAddress?: string): RuntimeOptions {
  return {
    shutdownSignals: [],
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const say = level === 'ERROR' ? log.error.bind(log) : log.warn.bind(log);
      say({ sdk: { workflowId: meta?.['workflowId'], activityType: meta?.['activityType'] } }, message);
    }),
    telemetryOptions: {
      logging: { forward: {}, filter: 'WARN' },
      ...(bindAddress === undefined
        ? {}
        : {
            metrics: {
              attachServiceName: false,
              prometheus: { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
            },
          }),
    },
  };
}
