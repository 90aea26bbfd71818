import type { WorkerDeploymentVersion } from '@temporalio/common';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { NO_TRACING, type Tracing } from '../platform/telemetry/span.ts';
import type { Temporal } from '../platform/temporal/connection.ts';
import { taskQueues } from '../workflows/contract/ids.ts';
import { bundleWorkflows } from './bundle.ts';
import { withSmallHeaps } from './small-heaps.ts';
import { traceWorker } from './tracing.ts';

/** Deliveries that one worker tries at once: a few more than the connections to the mail server. */
const DELIVERY_SLOTS = 10;

export interface WorkerSettings {
  readonly taskQueuePrefix: string;
  readonly turnSlots: number;
  readonly backgroundSlots: number;
  readonly shutdownGraceSeconds: number;
  /** The version of a rolling deploy; null: workers have no versions, and each takes any run. */
  readonly version: WorkerDeploymentVersion | null;
  readonly tracing?: Tracing;
  /** Whether errors of workflow code say where they were thrown. */
  readonly workflowStacks: boolean;
}

/**
 * One worker for each queue, so that replays, schedules and deliveries never take a person's slot. Start them with
 * `run()`, end them with `shutdown()`.
 * @param workflowBundle the workflow code; by default the code of this program.
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
    dataConverter: temporal.dataConverter,
    workflowBundle:
      workflowBundle ??
      (await bundleWorkflows({
        stacks: settings.workflowStacks,
        encodesFailures: temporal.dataConverter.failureConverterPath !== undefined,
      })),
    activities,
    ...traceWorker(settings.tracing ?? NO_TRACING),
    // How long a turn's next step waits for the process that has the turn in its cache; any other must replay it in a
    // new sandbox, which costs more than the step. A machine may be slow for seconds, and with 1 s its turns then cost
    // more, which made it slower yet. A process that ends gives its queue back, and the server knows of one that has
    // not polled for 10 s. With the default of 10 s a step would wait longer for one that was just killed.
    stickyQueueScheduleToStartTimeout: '5s',
    // Without Redis, a stop arrives with the answer to a heartbeat.
    maxHeartbeatThrottleInterval: '3s',
    // Streams under way may finish within the grace time. Then they are cut, and another worker takes the turn.
    shutdownGraceTime: settings.shutdownGraceSeconds * 1_000,
    shutdownForceTime: (settings.shutdownGraceSeconds + 5) * 1_000,
    // A workflow type without a behaviour of its own goes on with the newest code. Recorded histories show that it can
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
  const { workflowBundle: _, ...activitiesOnly } = shared;
  return withSmallHeaps(() =>
    Promise.all([
      Worker.create({ ...shared, taskQueue: queues.turns, maxConcurrentActivityTaskExecutions: settings.turnSlots }),
      Worker.create({
        ...shared,
        taskQueue: queues.background,
        maxConcurrentActivityTaskExecutions: settings.backgroundSlots,
      }),
      // Servers that are slow or away keep these places only.
      Worker.create({
        ...activitiesOnly,
        taskQueue: queues.deliveries,
        maxConcurrentActivityTaskExecutions: DELIVERY_SLOTS,
      }),
    ]),
  );
}
