import type { Command } from 'commander';
import { compareSchedules, type Comparison } from '../operations/repair-schedules.ts';
import { FOUND_WRONG, print, table } from './output.ts';
import { withDatabase, withTemporal, type ReadConfig } from './target.ts';

export function addSchedulesCheck(schedules: Command, readConfig: ReadConfig): void {
  schedules
    .command('check')
    .description(
      'compare the armed schedules with what the accounts need; exit code 0 when they agree, 2 when they differ',
    )
    .option(
      '--json',
      'print {"accounts", "schedules", "differences": [{"kind", "userId", "fault", "wanted", "found"}]}',
    )
    .action(async ({ json }: { json?: boolean }) => {
      const config = readConfig();
      const compared = await withDatabase(config, (database) =>
        withTemporal(config, async ({ client }) => {
          const { openPlanner } = await import('../operations/schedules/open-planner.ts');
          return compareSchedules({ database, planner: openPlanner(client, config.temporal, database) });
        }),
      );
      print(compared, { json, text: textOf(compared) });
      if (compared.differences.length > 0) process.exitCode = FOUND_WRONG;
    });
}

export function textOf({ accounts, schedules, differences }: Comparison): string {
  const summary = `${schedules} schedules, ${accounts} accounts used this period: ${differences.length === 0 ? 'they agree' : `${differences.length} differ`}`;
  if (differences.length === 0) return summary;
  const rows = differences.map(({ kind, userId, fault, wanted, found }) => [
    String(userId),
    kind,
    fault,
    wanted ?? 'none',
    found ?? 'none',
  ]);
  return `${table([['user', 'schedule', 'fault', 'wanted', 'found'], ...rows])}\n${summary}`;
}
