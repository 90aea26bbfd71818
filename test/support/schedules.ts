import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleDescription,
  type ScheduleHandle,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import type { ScheduleKind } from '../../domain/schedules.ts';
import { userScheduleId } from '../../workflows/contract/ids.ts';
import type { TestStack } from './stack.ts';
import { until } from './until.ts';

/** A stack's schedule on the real server, and its firings, which remain when it is deleted. */
export class TestSchedule {
  readonly handle: ScheduleHandle;
  readonly #stack: TestStack;

  /** @param id without the stack's prefix. */
  constructor(stack: TestStack, id: string) {
    this.#stack = stack;
    this.handle = stack.temporal.client.schedule.getHandle(`${stack.taskQueuePrefix}${id}`);
  }

  static ofUser(stack: TestStack, kind: ScheduleKind, userId: number): TestSchedule {
    return new TestSchedule(stack, userScheduleId(kind, userId));
  }

  async find(): Promise<ScheduleDescription | null> {
    return this.handle.describe().catch((error: unknown) => {
      if (error instanceof ScheduleNotFoundError) return null;
      throw error;
    });
  }

  async exists(): Promise<boolean> {
    return (await this.find()) !== null;
  }

  /** The workflows that it has started, oldest first; waits until there are so many. */
  async runs(atLeast: number): Promise<WorkflowExecutionInfo[]> {
    let runs: WorkflowExecutionInfo[] = [];
    await until(async () => {
      runs = [];
      for await (const run of this.#stack.temporal.client.workflow.list({
        query: `WorkflowId STARTS_WITH "${this.handle.scheduleId}-"`,
      }))
        runs.push(run);
      return runs.length >= atLeast;
    }, 45_000);
    return runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime() || (a.workflowId < b.workflowId ? -1 : 1));
  }

  /** The workflows' results; waits for those that run. */
  async results(atLeast: number): Promise<any[]> {
    const runs = await this.runs(atLeast);
    return Promise.all(
      runs.map(({ workflowId, runId }) => this.#stack.temporal.client.workflow.getHandle(workflowId, runId).result()),
    );
  }

  /**
   * Triggers the schedule. The last firing may not have closed yet although its effects are seen; under the schedule's
   * own SKIP the trigger would then be dropped, and the list may lack that firing.
   * @returns the workflow of this firing, ended in whatever way.
   */
  async fire(): Promise<WorkflowExecutionInfo> {
    const { info } = await this.handle.describe();
    const before = (await this.runs(info.numActionsTaken)).length;
    await this.handle.trigger(ScheduleOverlapPolicy.BUFFER_ONE);
    return this.ended(before + 1);
  }

  /** The newest of so many firings, ended in whatever way. */
  async ended(atLeast: number): Promise<WorkflowExecutionInfo> {
    const run = (await this.runs(atLeast)).at(-1);
    if (run === undefined) throw new Error('a firing starts a workflow');
    await this.#stack.temporal.client.workflow
      .getHandle(run.workflowId, run.runId)
      .result()
      .catch(() => {});
    return run;
  }
}
