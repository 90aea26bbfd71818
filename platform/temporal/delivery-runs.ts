import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { deliveryWorkflowId, taskQueues, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import { TRY_NOW } from '../../workflows/contract/deliveries.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract/search-attributes.ts';
import type { deliver } from '../../workflows/deliver.ts';
import type { Temporal } from './connection.ts';

export interface DeliveryToStart {
  readonly deliveryId: string;
  readonly userId: number;
  /** The channel's and the kind's words, for the Temporal UI. */
  readonly channel: string;
  readonly kind: string;
  /** Milliseconds until it is due: its workflow begins then. */
  readonly waitMs: number;
}

/** The workflows of deliveries. PostgreSQL holds what they know, so one that is lost is started again. */
export interface DeliveryRuns {
  /** @returns false when it runs already. @throws when Temporal does not answer within 5 s. */
  start(delivery: DeliveryToStart): Promise<boolean>;
  /** Makes it try now; starts it when it is over. @throws as `start`. */
  tryNow(delivery: DeliveryToStart): Promise<void>;
}

const DEADLINE_MS = 5_000;

export function createDeliveryRuns(temporal: Temporal, { taskQueuePrefix }: { taskQueuePrefix: string }): DeliveryRuns {
  const { client, connection } = temporal;
  const optionsOf = ({ deliveryId, userId, channel, kind }: DeliveryToStart) => ({
    workflowId: deliveryWorkflowId(deliveryId),
    taskQueue: taskQueues(taskQueuePrefix).background,
    args: [{ deliveryId }] as [{ deliveryId: string }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    staticSummary: `${channel}: ${kind} for user ${userId}`,
    typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.userId, value: String(userId) }]),
  });
  return {
    async start(delivery) {
      try {
        await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
          client.workflow.start<typeof deliver>(WORKFLOW_TYPES.deliver, {
            ...optionsOf(delivery),
            workflowIdConflictPolicy: 'FAIL',
            ...(delivery.waitMs > 0 ? { startDelay: delivery.waitMs } : {}),
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
        throw error;
      }
    },
    async tryNow(delivery) {
      await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
        client.workflow.signalWithStart<typeof deliver>(WORKFLOW_TYPES.deliver, {
          ...optionsOf(delivery),
          workflowIdConflictPolicy: 'USE_EXISTING',
          signal: TRY_NOW,
        }),
      );
    },
  };
}
