import type { Command } from 'commander';
import { replayTurn } from '../db/turns/replay.ts';
import { isTaken, unbindTurn } from '../db/turns/turns.ts';
import { CLI_ACTOR } from '../domain/audit.ts';
import { turnWorkflowId } from '../workflows/contract/ids.ts';
import { print, reasonText } from './output.ts';
import { withDatabase, withTemporal, type ReadConfig } from './target.ts';
import { uuid } from './turn-filter.ts';

export function addTurnsReplay(turns: Command, readConfig: ReadConfig): void {
  turns
    .command('replay')
    .description(
      'run one failed turn again, in the background; debited once, when it succeeds; `turns show` says how it went',
    )
    .argument('<turnId>', 'the turn’s id', uuid)
    .requiredOption('--reason <text>', 'why, for the audit log', reasonText)
    .option('--json', 'print {"turnId", "state", "workflowId"}')
    .action(async (turnId: string, { reason, json }: { reason: string; json?: boolean }) => {
      const config = readConfig();
      await withDatabase(config, (database) =>
        withTemporal(config, async (temporal) => {
          const { createTurnRuns, TurnStartError } = await import('../platform/temporal/turn-runs.ts');
          const turn = await replayTurn(database, { turnId, reason, actor: CLI_ACTOR });
          const runs = createTurnRuns(temporal, { taskQueuePrefix: config.temporal.taskQueuePrefix, eager: false });
          try {
            await runs.start(turn, () => isTaken(database, turnId));
          } catch (error) {
            // After an unclear start the turn stays bound, and reconcile starts or ends it.
            if (error instanceof TurnStartError && error.definite) await unbindTurn(database, { turnId });
            throw error;
          }
          const workflowId = turnWorkflowId(turn.userId, turnId);
          print({ turnId, state: turn.state, workflowId }, { json, text: `The turn runs again as ${workflowId}.` });
        }),
      );
    });
}
