import { Option, type Command } from 'commander';
import { createUser } from '../db/people/users.ts';
import { print } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';

interface Options {
  readonly email?: string;
  readonly role: 'user' | 'admin';
  readonly admin?: boolean;
  readonly timeZone?: string;
  readonly json?: boolean;
}

export function addUserCreate(user: Command, readConfig: ReadConfig): void {
  user
    .command('create')
    .description('make a user with an account and a first bearer token, which is shown here and never again')
    .option('--email <address>', 'where notifications go; each address once')
    .addOption(new Option('--role <role>', 'what the user may do').choices(['user', 'admin']).default('user'))
    .option('--admin', 'the same as --role admin')
    .option('--time-zone <zone>', "IANA name, by which the account's periods begin and end (default: Asia/Seoul)")
    .option('--json', 'print {"userId": 1, "token": "…"}')
    .action(async ({ email, role, admin, timeZone, json }: Options) => {
      await withDatabase(readConfig(), async (database) => {
        const created = await createUser(database, {
          email: email ?? null,
          role: admin === true ? 'admin' : role,
          ...(timeZone === undefined ? {} : { timeZone }),
        });
        print(created, { json, text: `user   ${created.userId}\ntoken  ${created.token}` });
      });
    });
}
