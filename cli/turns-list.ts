import type { Command } from 'commander';
import { countFailures, listTurns } from '../db/reports/admin-turns.ts';
import { instantOf, positiveInteger, print, table } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';
import { addTurnFilter, filterOf, type FilterOptions } from './turn-filter.ts';

interface Options extends FilterOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

export function addTurnsList(turns: Command, readConfig: ReadConfig): void {
  addTurnFilter(turns.command('list'))
    .description(
      'turns, newest first, without their texts; failures of the whole filter are counted by code (up to 10,000 each)',
    )
    .option('--limit <number>', 'at most so many', positiveInteger, 50)
    .option('--cursor <cursor>', '`nextCursor` of the page before')
    .option('--json', 'print {"items": [turn], "nextCursor", "failures": [{"code", "count", "more"}]}')
    .action(async ({ json, limit, cursor, ...asked }: Options) => {
      const filter = filterOf(asked);
      await withDatabase(readConfig(), async (database) => {
        const [page, failures] = await Promise.all([
          listTurns(database, { filter, limit, cursor: cursor ?? null }),
          countFailures(database, filter),
        ]);
        const rows = page.items.map(({ turnId, userId, state, error, model, attempt, createdAt }) => [
          turnId,
          String(userId),
          state,
          error ?? '',
          model,
          String(attempt),
          instantOf(createdAt),
        ]);
        const counts = failures.map(({ code, count, more }) => `${code} ${count}${more ? '+' : ''}`).join(', ');
        const lines = [
          rows.length === 0
            ? 'No turn matches.'
            : table([['turn', 'user', 'state', 'code', 'model', 'attempt', 'accepted'], ...rows]),
          ...(counts === '' ? [] : [`by code: ${counts}`]),
          ...(page.nextCursor === null ? [] : [`more: --cursor ${page.nextCursor}`]),
        ];
        print({ ...page, failures }, { json, text: lines.join('\n') });
      });
    });
}
