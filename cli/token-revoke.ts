import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { revokeToken } from '../db/people/key-holders.ts';
import { SetupError } from '../domain/setup-error.ts';
import { parseId } from '../domain/text.ts';
import { print } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';

export function addTokenRevoke(token: Command, readConfig: ReadConfig): void {
  token
    .command('revoke')
    .description('end a bearer token now and for good; its open streams end within 5 s')
    .argument('[tokenId]', 'its id; without it the token itself (tk_…) is read from standard input')
    .option('--json', 'print {"revoked": true}')
    .action(async (named: string | undefined, { json }: { json?: boolean }) => {
      const which = named === undefined || named === '-' ? await readSecret() : named;
      const tokenId = parseId(which);
      if (tokenId === null && !which.startsWith('tk_'))
        throw new SetupError('A token is named by its id (a number), or by itself (tk_…) on standard input.');
      await withDatabase(readConfig(), async (database) => {
        const revoked = await revokeToken(database, tokenId === null ? { token: which } : { tokenId });
        if (!revoked) throw new SetupError('There is no such token, or it was revoked before.');
        print({ revoked }, { json, text: 'The token is revoked.' });
      });
    });
}

/** A secret is piped in: arguments stand in the shell's history, and other users of the machine see them. */
async function readSecret(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('turnkeeper: the token, then Ctrl-D:\n');
  return (await readAll(process.stdin)).trim();
}
