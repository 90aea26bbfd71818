import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { RECONCILE_SCHEDULE_ID, taskQueues, WORKFLOW_TYPES } from '../workflows/contract/ids.ts';
import type { reconcile } from '../workflows/reconcile.ts';
import { FOUND_WRONG, print, table, withProgress } from './output.ts';
import { withTemporal, type ReadConfig } from './target.ts';

export function addReconcileRun(parent: Command, readConfig: ReadConfig): void {
  parent
    .command('run')
    .description(
      'mend now, by a worker, what no workflow will end, and prove the counters against the ledger; exit code 2 when counters differ or a turn could not be mended',
    )
    .option('--json', 'print {"settled", "started", "interrupted", "failed", "redrives", "expiredHolds", "mismatches"}')
    .action(async ({ json }: { json?: boolean }) => {
      const config = readConfig();
      const { taskQueuePrefix } = config.temporal;
      const report = await withTemporal(config, ({ client }) =>
        withProgress(
          'a worker reconciles',
          client.workflow.execute<typeof reconcile>(WORKFLOW_TYPES.reconcile, {
            workflowId: `${taskQueuePrefix}${RECONCILE_SCHEDULE_ID}/by-hand/${randomUUID()}`,
            taskQueue: taskQueues(taskQueuePrefix).background,
            args: [],
            staticSummary: 'by hand: mend turns that no workflow will end',
            workflowExecutionTimeout: '10 minutes',
          }),
        ),
      );
      print(report, { json, text: table(Object.entries(report).map(([name, count]) => [name, String(count)])) });
      if (report.mismatches > 0 || (report.failed ?? 0) > 0) process.exitCode = FOUND_WRONG;
    });
}
