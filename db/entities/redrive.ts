import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import type { ErrorCode } from '../../domain/errors.ts';
import { REDRIVE_STATES, REDRIVE_TURN_STATES, type SkipReason } from '../../domain/redrive.ts';
import type { TurnFilter } from '../../domain/turn-filter.ts';
import { Turn } from './turn.ts';
import { User } from './user.ts';

export const Redrive = defineEntity({
  name: 'Redrive',
  tableName: 'redrives',
  properties: {
    id: p.uuid().primary(),
    admin: () => p.manyToOne(User).nullable().deleteRule('no action'),
    state: p.enum(REDRIVE_STATES).default('running'),
    filter: p.json<TurnFilter>(),
    reason: p.text(),
    includeSuperseded: p.boolean(),
    ratePerSecond: p.integer(),
    idempotencyKey: p.text().nullable(),
    requestHash: p.blob().$type<Buffer>().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    endedAt: p.datetime().nullable(),
  },
  checks: [
    { name: 'redrives_rate_is_positive', expression: 'rate_per_second > 0' },
    {
      name: 'redrives_key_and_request_go_together',
      expression: '(idempotency_key is null) = (request_hash is null)',
    },
    {
      name: 'redrives_end_when_they_are_over',
      expression: "(ended_at is null) = (state in ('running', 'paused', 'cancelling'))",
    },
  ],
  uniques: [{ name: 'redrives_one_per_key', properties: ['admin', 'idempotencyKey'] }],
  indexes: [
    {
      name: 'redrives_newest',
      columns: [
        { name: 'createdAt', sort: 'desc' },
        { name: 'id', sort: 'desc' },
      ],
    },
  ],
});
export type Redrive = InferEntity<typeof Redrive>;

export const RedriveTurn = defineEntity({
  name: 'RedriveTurn',
  tableName: 'redrive_turns',
  properties: {
    redrive: () => p.manyToOne(Redrive).primary().updateRule('no action').deleteRule('no action'),
    turn: () => p.manyToOne(Turn).primary().updateRule('no action').deleteRule('no action'),
    position: p.integer(),
    state: p.enum(REDRIVE_TURN_STATES).default('waiting'),
    code: p.text().$type<SkipReason | ErrorCode>().nullable(),
    notBefore: p.datetime().defaultRaw('now()'),
    tries: p.integer().default(0),
    startedAt: p.datetime().nullable(),
    endedAt: p.datetime().nullable(),
  },
  uniques: [{ name: 'redrive_turns_have_a_place', properties: ['redrive', 'position'] }],
  indexes: [
    { name: 'redrive_turns_by_state', properties: ['redrive', 'state', 'position'] },
    // Whether a redrive under way has a turn is asked by the turn.
    { name: 'redrive_turns_by_turn', properties: ['turn'], where: "state in ('waiting', 'running')" },
  ],
});
export type RedriveTurn = InferEntity<typeof RedriveTurn>;
