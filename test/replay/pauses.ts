import type { TestStack } from '../support/stack.ts';

/** How many pauses of a workflow have begun; 0 before it. */
export async function pausesOf({ temporal }: TestStack, workflowId: string): Promise<number> {
  const { events } = await temporal.client.workflow
    .getHandle(workflowId)
    .fetchHistory()
    .catch(() => ({ events: [] }));
  return (events ?? []).filter(({ timerStartedEventAttributes }) => timerStartedEventAttributes).length;
}
