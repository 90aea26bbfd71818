import { TypedSearchAttributes } from '@temporalio/common';
import { countTurns, type RedriveProgress, type RedriveStep } from '../../domain/redrive.ts';
import type { TurnFilter } from '../../domain/turn-filter.ts';
import { redriveWorkflowId, taskQueues, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import { REDRIVE_SIGNALS } from '../../workflows/contract/redrive.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract/search-attributes.ts';
import { TURN_FAILURE_TYPES } from '../../workflows/contract/turn.ts';
import type { redriveTurns } from '../../workflows/redrive-turns.ts';
import type { Temporal } from './connection.ts';
import { isWorkflowOpen } from './is-open.ts';

/** What is started, and what the Temporal UI shows of it. The reason stays out, because it is a person's own words. */
export interface RedriveToStart {
  readonly redriveId: string;
  readonly ratePerSecond: number;
  /** Null when started through the CLI. */
  readonly adminId: number | null;
  readonly filter: TurnFilter;
  readonly progress: RedriveProgress;
}

/**
 * The workflows of redrives, as the API sees them. Their progress is in PostgreSQL, so one that is lost is started
 * again.
 */
export interface Redrives {
  /** @throws when the server does not answer within 5 s. */
  start(redrive: RedriveToStart): Promise<void>;
  /** Whether its workflow is. @throws as `start`. */
  isOpen(redriveId: string): Promise<boolean>;
  /** Tells it what its row says already; starts it if Temporal has lost it. @throws as `start`. */
  signal(redrive: RedriveToStart, step: RedriveStep): Promise<void>;
}

const DEADLINE_MS = 5_000;

export function createRedrives(temporal: Temporal, { taskQueuePrefix }: { taskQueuePrefix: string }): Redrives {
  const { client, connection } = temporal;
  const optionsOf = ({ redriveId, ratePerSecond, adminId, filter, progress }: RedriveToStart) =>
    ({
      workflowId: redriveWorkflowId(redriveId),
      taskQueue: taskQueues(taskQueuePrefix).background,
      args: [{ redriveId, ratePerSecond }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `replay of ${countTurns(progress)} turns, ${ratePerSecond} a second`,
      staticDetails: `Asked for ${adminId === null ? 'through the CLI' : `by admin ${adminId}`}; failed turns with ${describe(filter)}.`,
      typedSearchAttributes: new TypedSearchAttributes(searchAttributesOf(filter)),
    }) as const;
  return {
    async start(redrive) {
      await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
        client.workflow.start<typeof redriveTurns>(WORKFLOW_TYPES.redriveTurns, optionsOf(redrive)),
      );
    },
    isOpen: (redriveId) => isWorkflowOpen(temporal, redriveWorkflowId(redriveId)),
    async signal(redrive, step) {
      await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
        client.workflow.signalWithStart<typeof redriveTurns>(WORKFLOW_TYPES.redriveTurns, {
          ...optionsOf(redrive),
          signal: REDRIVE_SIGNALS[step],
        }),
      );
    },
  };
}

/** The attributes of the turns it replays, as far as the filter names them. */
function searchAttributesOf({ userId, conversationId, model, code }: TurnFilter) {
  const type = Object.entries(TURN_FAILURE_TYPES).find(([known]) => known === code)?.[1];
  return [
    ...(userId === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.userId, value: String(userId) }]),
    ...(conversationId === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.conversationId, value: conversationId }]),
    ...(model === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.model, value: model }]),
    ...(type === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.turnError, value: type }]),
  ];
}

function describe({ from, to, ...filter }: TurnFilter): string {
  const instants = Object.entries({ from, to }).flatMap(([name, at]) =>
    at === undefined ? [] : [[name, new Date(at).toISOString()]],
  );
  const parts = [...Object.entries(filter).filter(([, value]) => value !== undefined), ...instants];
  return parts.length === 0 ? 'any cause' : parts.map(([name, value]) => `${name} ${value}`).join(', ');
}

/** Links to workflows in the Temporal UI; null when `TEMPORAL_UI_URL` is not set. */
export interface TemporalLinks {
  /** Shows all runs of a workflow id. */
  workflow(workflowId: string): string | null;
  /** Shows the history of one run. */
  run(workflowId: string, runId: string): string | null;
}

export function createTemporalLinks({
  uiUrl,
  namespace,
}: {
  uiUrl: string | undefined;
  namespace: string;
}): TemporalLinks {
  const base =
    uiUrl === undefined ? null : `${uiUrl.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows`;
  return {
    workflow: (workflowId) =>
      base === null ? null : `${base}?query=${encodeURIComponent(`WorkflowId="${workflowId}"`)}`,
    run: (workflowId, runId) =>
      base === null ? null : `${base}/${encodeURIComponent(workflowId)}/${encodeURIComponent(runId)}/history`,
  };
}
