import type { RedriveStep } from '../domain/redrive.ts';
import { redriveWorkflowId, REDRIVE_SIGNALS, taskQueues, WORKFLOW_TYPES, type RedriveInput } from '../workflows/contract.ts';
import type { Temporal } from './temporal.ts';

/** The workflows of redrives, as the door sees them. What they do stands in PostgreSQL, so one that is lost is simply started again. */
export interface Redrives {
  /** @throws when the server does not answer within 5 s. */
  start(redrive: RedriveInput): Promise<void>;
  /** Tells it what its row says already; starts it if Temporal has lost it. @throws as `start`. */
  tell(redrive: RedriveInput, step: RedriveStep): Promise<void>;
}

const DEADLINE_MS = 5_000;

export function createRedrives({ client, connection }: Temporal, { taskQueuePrefix }: { taskQueuePrefix: string }): Redrives {
  const optionsOf = (redrive: RedriveInput) => ({
    workflowId: redriveWorkflowId(redrive.redriveId), taskQueue: taskQueues(taskQueuePrefix).background, args: [redrive] as [RedriveInput],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE', workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `replay of many turns, ${redrive.ratePerSecond} a second`,
  } as const);
  const within = <T>(work: () => Promise<T>) => connection.withDeadline(Date.now() + DEADLINE_MS, work);
  return {
    async start(redrive) {
      await within(() => client.workflow.start(WORKFLOW_TYPES.redriveTurns, optionsOf(redrive)));
    },
    async tell(redrive, step) {
      const signal = Object.entries(REDRIVE_SIGNALS).find(([, named]) => named === step)?.[0] ?? 'resume';
      await within(() => client.workflow.signalWithStart(WORKFLOW_TYPES.redriveTurns, { ...optionsOf(redrive), signal, signalArgs: [] }));
    },
  };
}
