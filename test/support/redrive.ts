import { taskQueues, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import type { RedriveInput } from '../../workflows/contract/redrive.ts';
import type { redriveTurns } from '../../workflows/redrive-turns.ts';
import type { TestStack } from './stack.ts';

/**
 * Ends the redrive's run where it is and begins another, which may have its own limit of history length. What was done
 * is in PostgreSQL.
 * @returns the new run's id.
 */
export async function restartRedrive(
  { temporal: { client }, taskQueuePrefix }: TestStack,
  workflowId: string,
  input: Omit<RedriveInput, 'redriveId'>,
): Promise<string> {
  const { typedSearchAttributes } = await client.workflow.getHandle(workflowId).describe();
  const { firstExecutionRunId } = await client.workflow.start<typeof redriveTurns>(WORKFLOW_TYPES.redriveTurns, {
    workflowId,
    taskQueue: taskQueues(taskQueuePrefix).background,
    args: [{ redriveId: workflowId.slice(workflowId.indexOf('/') + 1), ...input }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    typedSearchAttributes,
  });
  return firstExecutionRunId;
}
