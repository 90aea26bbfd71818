import { resendWorkflowId, taskQueues, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import type { resendDeliveries } from '../../workflows/channels/resend-deliveries.ts';
import type { Temporal } from './connection.ts';
import { createDeliveryRuns } from './delivery-runs.ts';
import { isWorkflowOpen } from './is-open.ts';

export interface ResendToStart {
  readonly resendId: string;
  readonly ratePerSecond: number;
  readonly count: number;
  /** Null when nobody is known. */
  readonly adminId: number | null;
}

/** The workflows of resends. Their progress is in PostgreSQL, so one that is lost is started again. */
export interface Resends {
  /** @throws when the server does not answer within 5 s. */
  start(resend: ResendToStart): Promise<void>;
  /** Whether its workflow is. @throws as `start`. */
  isOpen(resendId: string): Promise<boolean>;
}

/** The workflows of what leaves the house. */
export function createOutwardRuns(temporal: Temporal, prefix: { taskQueuePrefix: string }) {
  return { deliveryRuns: createDeliveryRuns(temporal, prefix), resends: createResends(temporal, prefix) };
}

const DEADLINE_MS = 5_000;

function createResends(temporal: Temporal, { taskQueuePrefix }: { taskQueuePrefix: string }): Resends {
  const { client, connection } = temporal;
  return {
    async start({ resendId, ratePerSecond, count, adminId }) {
      await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
        client.workflow.start<typeof resendDeliveries>(WORKFLOW_TYPES.resendDeliveries, {
          workflowId: resendWorkflowId(resendId),
          taskQueue: taskQueues(taskQueuePrefix).background,
          args: [{ resendId, ratePerSecond }],
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          staticSummary: `${count} deliveries once more, ${ratePerSecond} a second`,
          ...(adminId === null ? {} : { staticDetails: `Asked for by admin ${adminId}.` }),
        }),
      );
    },
    isOpen: (resendId) => isWorkflowOpen(temporal, resendWorkflowId(resendId)),
  };
}
