import { setTimeout as sleep } from 'node:timers/promises';
import {
  NamespaceNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { TurnRecord } from '../../domain/turn.ts';
import { taskQueues, turnWorkflowId, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import type { chatTurn } from '../../workflows/chat-turn.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract/search-attributes.ts';
import { within } from '../deadline.ts';
import type { Temporal } from './connection.ts';
import { grpcCodeOf } from './grpc-code.ts';

export type StartTurn = Pick<TurnRecord, 'turnId' | 'userId' | 'conversationId' | 'model' | 'runReason'>;

/** The runs of turns, for all but the worker. */
export interface TurnRuns {
  /**
   * Starts the turn's workflow (a replay's on the `background` queue), or finds the run that takes the turn up. An open
   * run may also be an earlier one that is about to close: its ending is told a moment before Temporal closes it (12 s,
   * if its worker dies in between), and a retry may come sooner. Then a run is started once that one has closed.
   * @param isTaken whether a run holds the turn or has ended it. @throws TurnStartError.
   */
  start(turn: StartTurn, isTaken: () => Promise<boolean>): Promise<void>;
  /** Asks the running workflow to stop. A workflow that is gone has nothing to stop. */
  cancel(turn: { turnId: string; userId: number }): Promise<void>;
  /** The run of the turn that is open; null: none is. @throws when the server does not say. */
  findOpen(turn: { turnId: string; userId: number }): Promise<{ runId: string } | null>;
  /** Ends this very run where it stands, unless it has ended. */
  terminate(run: { turnId: string; userId: number; runId: string }, reason: string): Promise<void>;
  /** The newest run, for whoever looks; null when there is none or the server does not say. */
  findNewest(turn: { turnId: string; userId: number }): Promise<{ runId: string; status: string } | null>;
  ready(): Promise<boolean>;
}

/** `definite`: nothing was started and nothing will be. Otherwise the outcome is unknown, and the turn stays bound. */
export class TurnStartError extends Error {
  override readonly name = 'TurnStartError';
  readonly definite: boolean;

  constructor(definite: boolean, options?: ErrorOptions) {
    super(definite ? 'the turn was not started' : 'whether the turn was started is not known', options);
    this.definite = definite;
  }
}

const START_DEADLINE_MS = 2_000;

/** How long a start waits for an open run to take the turn or to close. Reconcile finds what happens later. */
const OPEN_RUN_MS = 30_000;

/** @param options.eager whether a worker of the same queue runs in this process on this connection. */
export function createTurnRuns(temporal: Temporal, options: { taskQueuePrefix: string; eager: boolean }): TurnRuns {
  const { client, connection } = temporal;
  const queues = taskQueues(options.taskQueuePrefix);
  const handle = ({ userId, turnId }: { userId: number; turnId: string }) =>
    client.workflow.getHandle(turnWorkflowId(userId, turnId));

  /** @returns false when a run is open. */
  async function startOnce(turn: StartTurn): Promise<boolean> {
    const replayed = turn.runReason === 'replay';
    const start = client.workflow.start<typeof chatTurn>(WORKFLOW_TYPES.chatTurn, {
      workflowId: turnWorkflowId(turn.userId, turn.turnId),
      taskQueue: replayed ? queues.background : queues.turns,
      args: [{ turnId: turn.turnId, userId: turn.userId }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      requestEagerStart: options.eager,
      staticSummary: `${replayed ? 'replay of ' : ''}turn of user ${turn.userId} with ${turn.model}`,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: SEARCH_ATTRIBUTES.userId, value: String(turn.userId) },
        { key: SEARCH_ATTRIBUTES.conversationId, value: turn.conversationId },
        { key: SEARCH_ATTRIBUTES.model, value: turn.model },
        { key: SEARCH_ATTRIBUTES.replayed, value: replayed },
      ]),
    });
    try {
      await within(START_DEADLINE_MS, start);
      return true;
    } catch (cause) {
      if (cause instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw new TurnStartError(isDefinite(cause), { cause });
    }
  }

  return {
    async start(turn, isTaken) {
      const deadline = Date.now() + OPEN_RUN_MS;
      for (let pauseMs = 10; !(await startOnce(turn)); pauseMs = Math.min(pauseMs * 2, 500)) {
        if ((await isTaken()) || Date.now() > deadline) return;
        await sleep(pauseMs);
      }
    },
    async cancel(turn) {
      await within(START_DEADLINE_MS, handle(turn).cancel()).catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
    },
    async findOpen(turn) {
      try {
        const { runId, status } = await within(5_000, handle(turn).describe());
        return status.name === 'RUNNING' || status.name === 'PAUSED' ? { runId } : null;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      }
    },
    async terminate({ userId, turnId, runId }, reason) {
      const run = client.workflow.getHandle(turnWorkflowId(userId, turnId), runId);
      await within(5_000, run.terminate(reason)).catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
    },
    async findNewest(turn) {
      try {
        const { runId, status } = await within(START_DEADLINE_MS, handle(turn).describe());
        return { runId, status: status.name };
      } catch {
        return null;
      }
    },
    async ready() {
      try {
        await within(1_000, connection.workflowService.getSystemInfo({}));
        return true;
      } catch {
        return false;
      }
    },
  };
}

// gRPC codes with which the server itself refused: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED,
// FAILED_PRECONDITION, UNIMPLEMENTED, UNAUTHENTICATED. UNAVAILABLE and DEADLINE_EXCEEDED are not among them: they may
// come after the start took effect.
const REFUSED = new Set([3, 5, 7, 8, 9, 12, 16]);

function isDefinite(error: unknown): boolean {
  // The SDK turns NOT_FOUND into an error of its own without the code.
  if (error instanceof NamespaceNotFoundError) return true;
  const code = grpcCodeOf(error);
  return code !== null && REFUSED.has(code);
}
