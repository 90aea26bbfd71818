import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { grantTokens } from '../db/money/grants.ts';
import { CLI_ACTOR } from '../domain/audit.ts';
import { positiveInteger, print } from './output.ts';
import { tellFollowers, withDatabase, type ReadConfig } from './target.ts';

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
      const config = readConfig();
      await withDatabase(config, async (database) => {
        const granted = await grantTokens(database, {
          userId,
          tokens,
          reason,
          key: key ?? randomUUID(),
          actor: CLI_ACTOR,
        });
        if (!granted.repeated) await tellFollowers(config, userId);
        const text = `${granted.repeated ? 'already granted' : 'granted'} as entry ${granted.entryId}; purchased tokens now ${granted.purchasedTokens}, debt ${granted.debtTokens}`;
        print(granted, { json, text });
      });
    });
}
