import { InvalidArgumentError, Option, type Command } from 'commander';
import { ERROR_CODES, type ErrorCode } from '../domain/errors.ts';
import { isInRange, RANGE } from '../domain/period.ts';
import { TURN_STATES, type TurnState } from '../domain/turn.ts';
import type { TurnFilter } from '../domain/turn-filter.ts';
import { positiveInteger } from './output.ts';

export interface FilterOptions {
  readonly state?: TurnState;
  readonly code?: ErrorCode;
  readonly user?: number;
  readonly conversation?: string;
  readonly model?: string;
  readonly from?: number;
  readonly to?: number;
  readonly replayed?: boolean;
}

/** The options by which a command chooses turns, as in the admins' filter. */
export function addTurnFilter(command: Command): Command {
  return command
    .addOption(new Option('--state <state>', 'in this state').choices(TURN_STATES))
    .addOption(new Option('--code <code>', 'failed or refused with this code').choices(ERROR_CODES))
    .option('--user <id>', 'of this user', positiveInteger)
    .option('--conversation <id>', 'of this conversation', uuid)
    .option('--model <name>', 'with this model')
    .option('--from <instant>', 'accepted at or after, ISO 8601', instant)
    .option('--to <instant>', 'accepted before', instant)
    .option('--replayed', 'that an admin’s replay or a reset ran again')
    .option('--no-replayed', 'that none did');
}

export function filterOf({ state, code, user, conversation, model, from, to, replayed }: FilterOptions): TurnFilter {
  return { state, code, userId: user, conversationId: conversation, model, from, to, replayed };
}

export function uuid(value: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) throw new InvalidArgumentError('It must be a UUID.');
  return value.toLowerCase();
}

function instant(value: string): number {
  const at = Date.parse(value);
  if (!/^\d{4}-\d{2}-\d{2}/.test(value) || !isInRange(at))
    throw new InvalidArgumentError(`It must be an instant like 2026-11-24 or 2026-11-24T09:00:00Z, ${RANGE}.`);
  return at;
}
