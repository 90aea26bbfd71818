import { InvalidArgumentError, Option, type Command } from 'commander';
import { countFailures, listTurns } from '../db/admin-turns.ts';
import { ERROR_CODES, type ErrorCode } from '../domain/errors.ts';
import { TURN_STATES, type TurnState } from '../domain/turn.ts';
import type { TurnFilter } from '../domain/turn-filter.ts';
import { instantOf, positiveInteger, print, table } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';

interface Options {
  readonly state?: TurnState;
  readonly code?: ErrorCode;
  readonly user?: number;
  readonly conversation?: string;
  readonly model?: string;
  readonly from?: number;
  readonly to?: number;
  readonly replayed?: boolean;
  readonly limit: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

export function addTurnsList(turns: Command, readConfig: ReadConfig): void {
  turns.command('list')
    .description('turns, newest first, without their texts; failures of the whole filter are counted by code (up to 10,000 each)')
    .addOption(new Option('--state <state>', 'in this state').choices(TURN_STATES))
    .addOption(new Option('--code <code>', 'failed or refused with this code').choices(ERROR_CODES))
    .option('--user <id>', 'of this user', positiveInteger)
    .option('--conversation <id>', 'of this conversation')
    .option('--model <name>', 'with this model')
    .option('--from <instant>', 'accepted at or after, ISO 8601', instant)
    .option('--to <instant>', 'accepted before', instant)
    .option('--replayed', 'that an admin’s replay or a reset ran again')
    .option('--no-replayed', 'that none did')
    .option('--limit <number>', 'at most so many', positiveInteger, 50)
    .option('--cursor <cursor>', '`nextCursor` of the page before')
    .option('--json', 'print {"items": [turn], "nextCursor", "failures": [{"code", "count", "more"}]}')
    .action(async ({ json, limit, cursor, ...asked }: Options) => {
      const filter: TurnFilter = {
        state: asked.state, code: asked.code, userId: asked.user, conversationId: asked.conversation, model: asked.model, from: asked.from, to: asked.to, replayed: asked.replayed,
      };
      await withDatabase(readConfig(), async (database) => {
        const [page, failures] = await Promise.all([listTurns(database, { filter, limit, cursor: cursor ?? null }), countFailures(database, filter)]);
        const rows = page.items.map(({ turnId, userId, state, error, model, attempt, createdAt }) =>
          [turnId, String(userId), state, error ?? '', model, String(attempt), instantOf(createdAt)]);
        const counts = failures.map(({ code, count, more }) => `${code} ${count}${more ? '+' : ''}`).join(', ');
        const lines = [
          rows.length === 0 ? 'No turn matches.' : table([['turn', 'user', 'state', 'code', 'model', 'attempt', 'accepted'], ...rows]),
          ...(counts === '' ? [] : [`by code: ${counts}`]),
          ...(page.nextCursor === null ? [] : [`more: --cursor ${page.nextCursor}`]),
        ];
        print({ ...page, failures }, { json, text: lines.join('\n') });
      });
    });
}

function instant(value: string): number {
  const at = Date.parse(value);
  if (!/^\d{4}-\d{2}-\d{2}/.test(value) || Number.isNaN(at)) throw new InvalidArgumentError('It must be an instant like 2026-11-24 or 2026-11-24T09:00:00Z.');
  return at;
}
