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
import { patiently, ServerSlow } from './patience.ts';

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

/**
 * `refused`: nothing was started and nothing will be. `overloaded`: the same, because the server has too much to do.
 * `slow`: the server answers, and has not said yet whether it was started. `unknown`: it says nothing.
 */
export type StartOutcome = 'refused' | 'overloaded' | 'slow' | 'unknown';

export class TurnStartError extends Error {
  override readonly name = 'TurnStartError';
  readonly outcome: StartOutcome;

  constructor(outcome: StartOutcome, options?: ErrorOptions) {
    super(`a turn was not seen to start: ${outcome}`, options);
    this.outcome = outcome;
  }
}

/** How long others than starts wait for an answer. */
const CALL_WITHIN_MS = 2_000;

/** How long a start waits for an open run to take the turn or to close. Reconcile finds what happens later. */
const OPEN_RUN_MS = 30_000;

/** @param options.eager whether a worker of the same queue runs in this process on this connection. */
export function createTurnRuns(temporal: Temporal, options: { taskQueuePrefix: string; eager: boolean }): TurnRuns {
  const { client, connection } = temporal;
  const queues = taskQueues(options.taskQueuePrefix);
  const handle = ({ userId, turnId }: { userId: number; turnId: string }) =>
    client.workflow.getHandle(turnWorkflowId(userId, turnId));
  /** When a start was answered last. */
  let answeredAt = -Infinity;
  let probe: Promise<boolean> | null = null;

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
    const sentAt = performance.now();
    try {
      await patiently(start, async () => answeredAt > sentAt || (await isReady()));
      answeredAt = performance.now();
      return true;
    } catch (cause) {
      if (cause instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw new TurnStartError(outcomeOf(cause), { cause });
    }
  }

  /** One probe serves all who wait. */
  function isReady(): Promise<boolean> {
    probe ??= within(1_000, connection.workflowService.getSystemInfo({}))
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        probe = null;
      });
    return probe;
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
      await within(CALL_WITHIN_MS, handle(turn).cancel()).catch((error: unknown) => {
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
        const { runId, status } = await within(CALL_WITHIN_MS, handle(turn).describe());
        return { runId, status: status.name };
      } catch {
        return null;
      }
    },
    ready: isReady,
  };
}

const RESOURCE_EXHAUSTED = 8;
// gRPC codes with which the server itself refused: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED,
// FAILED_PRECONDITION, UNIMPLEMENTED, UNAUTHENTICATED. UNAVAILABLE and DEADLINE_EXCEEDED are not among them: they may
// come after the start took effect.
const REFUSED = new Set([3, 5, 7, 9, 12, 16]);

function outcomeOf(error: unknown): StartOutcome {
  if (error instanceof ServerSlow) return 'slow';
  // The SDK turns NOT_FOUND into an error of its own without the code.
  if (error instanceof NamespaceNotFoundError) return 'refused';
  const code = grpcCodeOf(error);
  if (code === RESOURCE_EXHAUSTED) return 'overloaded';
  return code !== null && REFUSED.has(code) ? 'refused' : 'unknown';
}
