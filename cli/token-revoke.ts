import type { Command } from 'commander';
import { revokeToken } from '../db/people/users.ts';
import { SetupError } from '../domain/setup-error.ts';
import { print } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';

export function addTokenRevoke(token: Command, readConfig: ReadConfig): void {
  token
    .command('revoke')
    .description('end a bearer token now and for good')
    .argument('<token>', 'its id, or the token itself (tk_…)')
    .option('--json', 'print {"revoked": true}')
    .action(async (which: string, { json }: { json?: boolean }) => {
      const isId = /^\d+$/.test(which);
      if (!isId && !which.startsWith('tk_'))
        throw new SetupError('A token is named by its id (a number) or by itself (tk_…).');
      await withDatabase(readConfig(), async (database) => {
        const revoked = await revokeToken(database, isId ? { tokenId: Number(which) } : { token: which });
        if (!revoked) throw new SetupError('There is no such token, or it was revoked before.');
        print({ revoked }, { json, text: 'The token is revoked.' });
      });
    });
}
