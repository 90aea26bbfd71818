import type { Command } from 'commander';
import { compareSchedules, mendSchedules } from '../operations/repair-schedules.ts';
import { print } from './output.ts';
import { textOf } from './schedules-check.ts';
import { withDatabase, withTemporal, type ReadConfig } from './target.ts';

export function addSchedulesRepair(schedules: Command, readConfig: ReadConfig): void {
  schedules
    .command('repair')
    .description(
      'compare as `check` does, and mend what differs: arm, correct or delete; exit code 0 when all is right now',
    )
    .option('--json', 'print what `check` prints, and "mended"')
    .action(async ({ json }: { json?: boolean }) => {
      const config = readConfig();
      await withDatabase(config, (database) =>
        withTemporal(config, async ({ client }) => {
          const { createPlanner } = await import('../platform/temporal/planner.ts');
          const arming = { database, planner: createPlanner(client, config.temporal) };
          const compared = await compareSchedules(arming);
          const mended = await mendSchedules(arming, compared.differences);
          print(
            { ...compared, mended },
            { json, text: `${textOf(compared)}${mended === 0 ? '' : `; ${mended} mended`}` },
          );
        }),
      );
    });
}
