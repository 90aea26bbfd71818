import type { Command } from 'commander';
import { CLI_ACTOR } from '../domain/audit.ts';
import { AppError } from '../domain/errors.ts';
import { SetupError } from '../domain/setup-error.ts';
import { turnWorkflowId } from '../workflows/contract/ids.ts';
import { withOperations } from './operations.ts';
import { print, reasonText } from './output.ts';
import type { ReadConfig } from './target.ts';
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
      await withOperations(
        readConfig(),
        async (deps) => {
          // Loaded only here, because it brings Temporal's client with it.
          const { replay } = await import('../operations/replay-turn.ts');
          const turn = await replay(deps, { turnId, reason, actor: CLI_ACTOR }).catch(rethrowNotStarted);
          const workflowId = turnWorkflowId(turn.userId, turnId);
          print({ turnId, state: turn.state, workflowId }, { json, text: `The turn runs again as ${workflowId}.` });
        },
        { reachFirst: true },
      );
    });
}

function rethrowNotStarted(error: unknown): never {
  if (!(error instanceof AppError && error.code === 'unavailable')) throw error;
  const sentence =
    error.details['bound'] === true
      ? 'Whether Temporal started the turn is not known: `reconcile run` starts or ends it.'
      : 'Temporal refused to start the turn, which has failed again.';
  throw new SetupError(sentence, { cause: error });
}
