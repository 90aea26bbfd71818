import { Runtime, DefaultLogger } from '@temporalio/worker';
import { createActivities, type ActivityDeps } from '../activities/index.ts';
import type { Temporal } from '../platform/temporal.ts';
import type { Logger } from '../platform/log.ts';
import { ensureSystemSchedules } from './schedules.ts';
import { createWorkers, type WorkerSettings } from './worker.ts';

export interface RunningWorker {
  /** Rejects when a worker fails for good; resolves after `close`. */
  readonly done: Promise<void>;
  /** Takes no more work, lets what runs finish within the grace time, hands the rest to other workers. */
  close(): Promise<void>;
}

export async function startWorker(
  temporal: Temporal, deps: ActivityDeps, settings: WorkerSettings & { readonly reconcileEverySeconds: number },
): Promise<RunningWorker> {
  await ensureSystemSchedules(temporal.client, settings);
  const workers = await createWorkers(temporal, createActivities(deps), settings);
  const done = Promise.all(workers.map((worker) => worker.run())).then(() => {});
  // Whoever awaits `done` gets the failure; without this line a failure before that is an unhandled rejection.
  done.catch(() => {});
  return {
    done,
    async close() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await done.catch(() => {});
    },
  };
}

/** Once a process, before the first connection: our logger, and our own handling of signals. */
export function installRuntime(log: Logger): void {
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const say = level === 'ERROR' ? log.error.bind(log) : log.warn.bind(log);
      say({ sdk: { workflowId: meta?.['workflowId'], activityType: meta?.['activityType'] } }, message);
    }),
    telemetryOptions: { logging: { forward: {}, filter: 'WARN' } },
  });
}
