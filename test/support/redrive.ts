import { taskQueues, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import type { RedriveInput } from '../../workflows/contract/redrive.ts';
import type { TestStack } from './stack.ts';

/**
 * Ends the redrive's run where it stands and begins another, with a history of its own length: what was done stands in
 * PostgreSQL.
 * @returns the new run's id.
 */
export async function restartRedrive(
  { temporal: { client }, taskQueuePrefix }: TestStack,
  workflowId: string,
  input: Omit<RedriveInput, 'redriveId'>,
): Promise<string> {
  const args: [RedriveInput] = [{ redriveId: workflowId.slice(workflowId.indexOf('/') + 1), ...input }];
  const { typedSearchAttributes } = await client.workflow.getHandle(workflowId).describe();
  const { firstExecutionRunId } = await client.workflow.start(WORKFLOW_TYPES.redriveTurns, {
    workflowId,
    taskQueue: taskQueues(taskQueuePrefix).background,
    args,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    typedSearchAttributes,
  });
  return firstExecutionRunId;
}
