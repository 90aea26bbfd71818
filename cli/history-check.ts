import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { Command } from 'commander';
import { say } from '../scripts/services/say.ts';
import { bundleWorkflows } from '../worker/bundle.ts';
import { taskQueues } from '../workflows/contract.ts';
import { NOT_RIGHT, positiveInteger, print, table } from './output.ts';
import { withTemporal, type ReadConfig } from './target.ts';

interface Run {
  readonly workflowId: string;
  readonly runId: string;
}

interface Checked {
  readonly query: string;
  readonly checked: number;
  readonly broken: readonly (Run & { readonly reason: string })[];
}

interface Options {
  readonly query: string;
  readonly limit: number;
  readonly json?: boolean;
}

const SAY_EVERY_MS = 2_000;

export function addHistoryCheck(history: Command, readConfig: ReadConfig): void {
  history.command('check')
    .description('before a deploy: replay histories of the running system against the workflow code here; exit code 2 when one does not fit, with its ids')
    .option('--query <query>', 'which workflows, as the Temporal UI\'s search understands it', 'ExecutionStatus = "Running"')
    .option('--limit <number>', 'at most so many', positiveInteger, 1_000)
    .option('--json', 'print {"query", "checked", "broken": [{"workflowId", "runId", "reason"}]}')
    .action(async ({ query, limit, json }: Options) => {
      const config = readConfig();
      // Before the first connection. What does not fit is reported below; the SDK's own lines would say it twice.
      Runtime.install({ logger: new DefaultLogger('ERROR', () => {}), shutdownSignals: [], telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
      const { turns, background } = taskQueues(config.temporal.taskQueuePrefix);
      const ours = `(${query}) AND TaskQueue IN ("${turns}", "${background}")`;
      const checked = await withTemporal(config, ({ client }) => check(client, ours, limit));
      print(checked, { json, text: textOf(checked) });
      if (checked.broken.length > 0) process.exitCode = NOT_RIGHT;
    });
}

async function check(client: Client, query: string, limit: number): Promise<Checked> {
  const workflowBundle = await bundleWorkflows();
  const total = Math.min((await client.workflow.count(query)).count, limit);
  const broken: (Run & { reason: string })[] = [];
  // Histories are replayed one after the other, so what is pushed first is answered first.
  const pushed: Run[] = [];
  let checked = 0;
  const progress = setInterval(() => say(`${checked} of ${total} histories replayed …`), SAY_EVERY_MS);
  try {
    for await (const { error } of Worker.runReplayHistories({ workflowBundle }, histories(client, { query, limit, pushed }))) {
      const run = pushed.shift();
      checked += 1;
      if (error !== undefined && run !== undefined) broken.push({ ...run, reason: error.message.replace(/^.*?Details: /s, '') });
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
      // Its retention ended since it was listed.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}

function textOf({ checked, broken }: Checked): string {
  if (broken.length === 0) return `${checked} histories replay on this code.`;
  const rows = broken.map(({ workflowId, runId, reason }) => [workflowId, runId, reason]);
  return `${table([['workflow', 'run', 'reason'], ...rows])}\n${broken.length} of ${checked} histories do not replay on this code.`;
}
