import type { Command } from 'commander';
import { compareSchedules, mendSchedules, rearmSchedules } from '../operations/repair-schedules.ts';
import { print } from './output.ts';
import { textOf } from './schedules-check.ts';
import { withDatabase, withTemporal, type ReadConfig } from './target.ts';

export function addSchedulesRepair(schedules: Command, readConfig: ReadConfig): void {
  schedules
    .command('repair')
    .description(
      'compare as `check` does, and mend what differs: arm, correct or delete; exit code 0 when all is right now',
    )
    .option('--anew', 'write all of them anew as well: before a key of TEMPORAL_CODEC_KEYS is taken away')
    .option('--json', 'print what `check` prints, and "mended"; with --anew "written"')
    .action(async ({ json, anew = false }: { json?: boolean; anew?: boolean }) => {
      const config = readConfig();
      await withDatabase(config, (database) =>
        withTemporal(config, async ({ client }) => {
          const { openPlanner } = await import('../operations/schedules/open-planner.ts');
          const arming = { database, planner: openPlanner(client, config.temporal, database) };
          const compared = await compareSchedules(arming);
          const mended = await mendSchedules(arming, compared.differences);
          const written = anew ? await rearmSchedules(arming) : null;
          const did = [
            ...(mended === 0 ? [] : [`${mended} mended`]),
            ...(written === null ? [] : [`${written} written anew`]),
          ];
          print(
            { ...compared, mended, ...(written === null ? {} : { written }) },
            { json, text: [textOf(compared), ...did].join('; ') },
          );
        }),
      );
    });
}
