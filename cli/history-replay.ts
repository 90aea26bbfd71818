import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { Temporal } from '../platform/temporal/connection.ts';
import { say } from '../scripts/services/say.ts';
import { bundleWorkflows } from '../worker/bundle.ts';

export interface Run {
  readonly workflowId: string;
  readonly runId: string;
}

export interface Checked {
  readonly query: string;
  readonly checked: number;
  readonly broken: readonly (Run & { readonly reason: string })[];
}

const SAY_EVERY_MS = 2_000;

/**
 * Call it before the first connection. The command reports what does not fit, and the SDK's own lines would repeat it.
 */
export function silenceSdk(): void {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => {}),
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
}

/** Replays the histories of these workflows against the workflow code of this program. */
export async function replayHistories(
  { client, dataConverter }: Temporal,
  query: string,
  limit: number,
): Promise<Checked> {
  const workflowBundle = await bundleWorkflows();
  const total = Math.min((await client.workflow.count(query)).count, limit);
  const broken: (Run & { reason: string })[] = [];
  // Histories are replayed one after the other, so the first pushed is the first answered.
  const pushed: Run[] = [];
  let checked = 0;
  const progress = setInterval(() => say(`${checked} of ${total} histories replayed …`), SAY_EVERY_MS);
  try {
    for await (const { error } of Worker.runReplayHistories(
      { workflowBundle, dataConverter },
      histories(client, { query, limit, pushed }),
    )) {
      const run = pushed.shift();
      checked += 1;
      if (error !== undefined && run !== undefined)
        broken.push({ ...run, reason: error.message.replace(/^.*?Details: /s, '') });
    }
  } finally {
    clearInterval(progress);
  }
  return { query, checked, broken };
}

async function* histories(client: Client, { query, limit, pushed }: { query: string; limit: number; pushed: Run[] }) {
  let left = limit;
  for await (const { workflowId, runId } of client.workflow.list({ query })) {
    if (left-- === 0) return;
    try {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      pushed.push({ workflowId, runId });
      yield { workflowId, history };
    } catch (error) {
      // The workflow's retention has ended since it was listed.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}
