import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { CLI_ACTOR } from '../domain/audit.ts';
import { grant } from '../operations/grant-tokens.ts';
import { withOperations } from './operations.ts';
import { positiveInteger, print } from './output.ts';
import type { ReadConfig } from './target.ts';

interface Options {
  readonly user: number;
  readonly tokens: number;
  readonly reason: string;
  readonly key?: string;
  readonly json?: boolean;
}

export function addUserGrant(user: Command, readConfig: ReadConfig): void {
  user
    .command('grant')
    .description("add purchased tokens to a user's account, as one entry of its ledger")
    .requiredOption('--user <id>', 'whose account', positiveInteger)
    .requiredOption('--tokens <number>', 'how many, from 1 to 1000000000000', positiveInteger)
    .requiredOption('--reason <text>', 'why, for the ledger: 1 to 500 characters')
    .option('--key <text>', 'the same key grants once, however often it is sent (default: a new one)')
    .option(
      '--json',
      'print {"entryId": 1, "userId": 1, "tokens": 1000, …, "purchasedTokens": 1000, "debtTokens": 0, "repeated": false}',
    )
    .action(async ({ user: userId, tokens, reason, key, json }: Options) => {
      await withOperations(readConfig(), async (deps) => {
        const granted = await grant(deps, { userId, tokens, reason, key: key ?? randomUUID(), actor: CLI_ACTOR });
        const text = `${granted.repeated ? 'already granted' : 'granted'} as entry ${granted.entryId}; purchased tokens now ${granted.purchasedTokens}, debt ${granted.debtTokens}`;
        print(granted, { json, text });
      });
    });
}
