import type { WorkerDeploymentVersion } from '@temporalio/common';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { NO_TRACING, type Tracing } from '../platform/telemetry/span.ts';
import type { Temporal } from '../platform/temporal/connection.ts';
import { taskQueues } from '../workflows/contract/ids.ts';
import { bundleWorkflows } from './bundle.ts';
import { traceWorker } from './tracing.ts';

export interface WorkerSettings {
  readonly taskQueuePrefix: string;
  readonly turnSlots: number;
  readonly backgroundSlots: number;
  readonly shutdownGraceSeconds: number;
  /** Of a rolling deploy; null: workers have no versions, and every one takes every run. */
  readonly version: WorkerDeploymentVersion | null;
  readonly tracing?: Tracing;
}

/**
 * One worker a queue, so that replays and schedules never take a person's slot. Run them with `run()`, end with
 * `shutdown()`.
 * @param workflowBundle the workflow code; else the one of this program.
 */
export async function createWorkers(
  temporal: Temporal,
  activities: Activities,
  settings: WorkerSettings,
  workflowBundle?: { readonly code: string },
): Promise<Worker[]> {
  const queues = taskQueues(settings.taskQueuePrefix);
  const shared: Omit<WorkerOptions, 'taskQueue'> = {
    connection: temporal.connection,
    namespace: temporal.namespace,
    workflowBundle: workflowBundle ?? (await bundleWorkflows()),
    activities,
    ...traceWorker(settings.tracing ?? NO_TRACING),
    // The default of 10 s lets every turn that ends soon after its worker's death wait for a queue nobody polls.
    stickyQueueScheduleToStartTimeout: '1s',
    // A stop without Redis arrives with the answer to a heartbeat.
    maxHeartbeatThrottleInterval: '3s',
    // Streams under way may finish; then they are cut and another worker takes the turn.
    shutdownGraceTime: settings.shutdownGraceSeconds * 1_000,
    shutdownForceTime: (settings.shutdownGraceSeconds + 5) * 1_000,
    // A type that says nothing of its own goes on with the newest code: recorded histories show that it can
    // (test/replay).
    ...(settings.version === null
      ? {}
      : {
          workerDeploymentOptions: {
            version: settings.version,
            useWorkerVersioning: true,
            defaultVersioningBehavior: 'AUTO_UPGRADE',
          },
        }),
  };
  return Promise.all([
    Worker.create({ ...shared, taskQueue: queues.turns, maxConcurrentActivityTaskExecutions: settings.turnSlots }),
    Worker.create({
      ...shared,
      taskQueue: queues.background,
      maxConcurrentActivityTaskExecutions: settings.backgroundSlots,
    }),
  ]);
}
