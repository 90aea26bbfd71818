import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { findTurn } from '../db/turns/turns.ts';
import { SetupError } from '../domain/setup-error.ts';
import { turnWorkflowId } from '../workflows/contract/ids.ts';
import { print } from './output.ts';
import { withDatabase, withTemporal, type ReadConfig } from './target.ts';

interface Options {
  readonly run?: string;
  readonly out?: string;
  readonly json?: boolean;
}

export function addHistoryRecord(history: Command, readConfig: ReadConfig): void {
  history
    .command('record')
    .description(
      "write the history of a turn's workflow to a file, in Temporal's own JSON form; it holds ids and codes, no chat text",
    )
    .argument('<turnId>', 'which turn')
    .option('--run <runId>', 'one run of it (default: the newest)')
    .option('--out <file>', 'where to (default: turn-<turnId>.json)')
    .option('--json', 'print {"file", "workflowId", "runId", "events"}')
    .action(async (turnId: string, { run, out, json }: Options) => {
      const config = readConfig();
      const userId = await withDatabase(config, async (database) => {
        const turn = /^[0-9a-f-]{36}$/i.test(turnId) ? await findTurn(database, { turnId, userId: null }) : null;
        if (turn === null) throw new SetupError(`There is no turn ${turnId}.`);
        return turn.userId;
      });
      const workflowId = turnWorkflowId(userId, turnId.toLowerCase());
      const [{ WorkflowNotFoundError }, { historyToJSON }] = await Promise.all([
        import('@temporalio/client'),
        import('@temporalio/common/lib/proto-utils.js'),
      ]);
      const { runId, history: found } = await withTemporal(config, async ({ client }) => {
        const handle = client.workflow.getHandle(workflowId, run);
        const [described, fetched] = await Promise.all([handle.describe(), handle.fetchHistory()]).catch(
          (error: unknown) => {
            if (error instanceof WorkflowNotFoundError)
              throw new SetupError(
                `Temporal knows no run of ${workflowId}${run === undefined ? '' : ` with the id ${run}`}.`,
                { cause: error },
              );
            throw error;
          },
        );
        return { runId: described.runId, history: fetched };
      });
      const file = out ?? `turn-${turnId.toLowerCase()}.json`;
      writeFileSync(file, `${historyToJSON(found)}\n`);
      const events = found.events?.length ?? 0;
      print(
        { file, workflowId, runId, events },
        { json, text: `${file}: ${events} events of ${workflowId}, run ${runId}` },
      );
    });
}
