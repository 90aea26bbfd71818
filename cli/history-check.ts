import type { Command } from 'commander';
import { taskQueues } from '../workflows/contract/ids.ts';
import type { Checked } from './history-replay.ts';
import { FOUND_WRONG, positiveInteger, print, table } from './output.ts';
import { withTemporal, type ReadConfig } from './target.ts';

interface Options {
  readonly query: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function addHistoryCheck(history: Command, readConfig: ReadConfig): void {
  history
    .command('check')
    .description(
      'before a deploy: replay histories of the running system against the workflow code here; exit code 2 when one does not fit, with its ids',
    )
    .option(
      '--query <query>',
      "which workflows, as the Temporal UI's search understands it",
      'ExecutionStatus = "Running"',
    )
    .option('--limit <number>', 'at most so many', positiveInteger, 1_000)
    .option('--json', 'print {"query", "checked", "broken": [{"workflowId", "runId", "reason"}]}')
    .action(async ({ query, limit, json }: Options) => {
      const config = readConfig();
      const { replayHistories, silenceSdk } = await import('./history-replay.ts');
      silenceSdk();
      const { turns, background } = taskQueues(config.temporal.taskQueuePrefix);
      const ours = `(${query}) AND TaskQueue IN ("${turns}", "${background}")`;
      const checked = await withTemporal(config, (temporal) => replayHistories(temporal, ours, limit));
      print(checked, { json, text: textOf(checked) });
      if (checked.broken.length > 0) process.exitCode = FOUND_WRONG;
    });
}

function textOf({ checked, broken }: Checked): string {
  if (broken.length === 0) return `${checked} histories replay on this code.`;
  const rows = broken.map(({ workflowId, runId, reason }) => [workflowId, runId, reason]);
  return `${table([['workflow', 'run', 'reason'], ...rows])}\n${broken.length} of ${checked} histories do not replay on this code.`;
}
