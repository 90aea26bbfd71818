import type { Command } from 'commander';
import { readTokenStats } from '../db/reports/token-stats.ts';
import { lookAlikesOf } from '../domain/email.ts';
import { positiveInteger, print, table } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';

export function addStats(program: Command, readConfig: ReadConfig): void {
  program
    .command('stats')
    .description('who used how much of the present month, computed now from PostgreSQL')
    .option('--top <number>', 'so many of the top users, 100 at most', positiveInteger, 10)
    .option('--json', 'print {"overview", "distribution", "topUsers": […], "asOf"}')
    .action(async ({ top, json }: { top: number; json?: boolean }) => {
      await withDatabase(readConfig(), async (database) => {
        const stats = await readTokenStats(database);
        const { overview, distribution } = stats;
        const topUsers = stats.topUsers.slice(0, top);
        const users = topUsers.map(({ userId, email, usedTokens, usagePercent, level }) => [
          String(userId),
          [email ?? '', ...lookAlikesOf(email)].join('  '),
          String(usedTokens),
          `${usagePercent} %`,
          level,
        ]);
        const text = [
          table(
            [...Object.entries(overview), ...Object.entries(distribution)].map(([name, value]) => [
              name,
              String(value),
            ]),
          ),
          ...(users.length === 0 ? [] : ['', table([['user', 'e-mail', 'used', 'percent', 'level'], ...users])]),
        ].join('\n');
        print({ ...stats, topUsers, asOf: new Date(stats.asOf).toISOString() }, { json, text });
      });
    });
}
