import type { Command } from 'commander';
import { createToken } from '../db/people/users.ts';
import { positiveInteger, print } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';

export function addTokenCreate(token: Command, readConfig: ReadConfig): void {
  token
    .command('create')
    .description('mint another bearer token for a user; it is shown here and never again')
    .argument('<userId>', 'whose token', positiveInteger)
    .option('--json', 'print {"tokenId": 1, "token": "…"}')
    .action(async (userId: number, { json }: { json?: boolean }) => {
      await withDatabase(readConfig(), async (database) => {
        const created = await createToken(database, { userId });
        print(created, { json, text: `token id  ${created.tokenId}\ntoken     ${created.token}` });
      });
    });
}
