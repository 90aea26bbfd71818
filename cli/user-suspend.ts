import type { Command } from 'commander';
import { CLI_ACTOR } from '../domain/audit.ts';
import { resume, suspend } from '../operations/suspend-user.ts';
import { withOperations } from './operations.ts';
import { confirm, positiveInteger, print, reasonText } from './output.ts';
import type { ReadConfig } from './target.ts';

interface Options {
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function addUserSuspend(user: Command, readConfig: ReadConfig): void {
  user
    .command('suspend')
    .description('admit nothing more of a user’s; turns that run are stopped and charged for what has come')
    .argument('<userId>', 'whom', positiveInteger)
    .requiredOption('--reason <text>', 'why, for the audit log', reasonText)
    .option('--yes', 'do not ask')
    .option('--json', 'print {"suspended": true, "stopping": [turnId]}')
    .action(async (userId: number, { reason, yes, json }: Options) => {
      const config = readConfig();
      await confirm(`Suspend user ${userId} and stop the turns that run?`, yes);
      await withOperations(config, async (deps) => {
        const { stopping } = await suspend(deps, { userId, reason, actor: CLI_ACTOR });
        const text = `User ${userId} is suspended; ${stopping.length} turns stop.`;
        print({ suspended: true, stopping }, { json, text });
      });
    });
}

export function addUserResume(user: Command, readConfig: ReadConfig): void {
  user
    .command('resume')
    .description('let a suspended user send again')
    .argument('<userId>', 'whom', positiveInteger)
    .requiredOption('--reason <text>', 'why, for the audit log', reasonText)
    .option('--json', 'print {"suspended": false}')
    .action(async (userId: number, { reason, json }: Options) => {
      await withOperations(readConfig(), async (deps) => {
        await resume(deps, { userId, reason, actor: CLI_ACTOR });
        print({ suspended: false }, { json, text: `User ${userId} may send again.` });
      });
    });
}
