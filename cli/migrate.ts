import type { Command } from 'commander';
import { assertMigrated, migrate } from '../db/migrate.ts';
import { print } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';

export function addMigrate(program: Command, readConfig: ReadConfig): void {
  program
    .command('migrate')
    .description("bring the database's schema up to date; several at once are safe, one does it and the others wait")
    .option('--json', 'print {"applied": [names]}')
    .action(async ({ json }: { json?: boolean }) => {
      const config = readConfig();
      await withDatabase(config, async (database, url) => {
        const applied = await migrate(config.database.directUrl ?? url);
        await assertMigrated(database);
        print(
          { applied },
          {
            json,
            text:
              applied.length === 0 ? 'The schema is up to date.' : applied.map((name) => `applied ${name}`).join('\n'),
          },
        );
      });
    });
}
