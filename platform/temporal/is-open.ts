import { WorkflowNotFoundError } from '@temporalio/client';
import type { Temporal } from './connection.ts';

const DEADLINE_MS = 5_000;

/** Whether a run of the workflow goes on. @throws when Temporal does not answer within 5 s. */
export async function isWorkflowOpen({ client, connection }: Temporal, workflowId: string): Promise<boolean> {
  try {
    const { status } = await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
