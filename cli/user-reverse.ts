import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { CLI_ACTOR } from '../domain/audit.ts';
import { reverse } from '../operations/grant-tokens.ts';
import { withOperations } from './operations.ts';
import { positiveInteger, print } from './output.ts';
import type { ReadConfig } from './target.ts';

interface Options {
  readonly entry: number;
  readonly tokens: number;
  readonly reason: string;
  readonly key?: string;
  readonly json?: boolean;
}

export function addUserReverse(user: Command, readConfig: ReadConfig): void {
  user
    .command('reverse')
    .description('take a grant back, whole or in part; what the purchased tokens lack becomes debt')
    .requiredOption('--entry <id>', "the grant's entry in the ledger", positiveInteger)
    .requiredOption('--tokens <number>', 'how many, from 1 to 1000000000000', positiveInteger)
    .requiredOption('--reason <text>', 'why, for the ledger: 1 to 500 characters')
    .option('--key <text>', 'the same key reverses once, however often it is sent (default: a new one)')
    .option(
      '--json',
      'print {"entryId": 2, "userId": 1, "tokens": 1000, …, "reversesId": 1, "purchasedTokens": 0, "debtTokens": 0, "repeated": false}',
    )
    .action(async ({ entry: entryId, tokens, reason, key, json }: Options) => {
      await withOperations(readConfig(), async (deps) => {
        const reversed = await reverse(deps, { entryId, tokens, reason, key: key ?? randomUUID(), actor: CLI_ACTOR });
        const text = `${reversed.repeated ? 'already reversed' : 'reversed'} by entry ${reversed.entryId}; purchased tokens now ${reversed.purchasedTokens}, debt ${reversed.debtTokens}`;
        print(reversed, { json, text });
      });
    });
}
