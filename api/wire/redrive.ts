import { z } from 'zod';
import {
  RATE_PER_SECOND,
  REDRIVE_LIMIT,
  REDRIVE_STATES,
  REDRIVE_TURN_STATES,
  SKIP_REASONS,
} from '../../domain/redrive.ts';
import { reason } from './audit.ts';
import { errorCode } from './error.ts';
import { instant, pageOf, pageQuery, uuid } from './fields.ts';
import { person } from './named-person.ts';
import { turnFilter } from './turn-filter.ts';

const count = z.int().min(0);

export const redriveBody = z
  .strictObject({
    filter: turnFilter.refine(({ state }) => state === undefined || state === 'failed', {
      message: 'only failed turns are replayed',
      path: ['state'],
    }),
    reason,
    dryRun: z.boolean().default(false).meta({ description: 'Only say how many and which' }),
    ratePerSecond: z.int().min(1).max(RATE_PER_SECOND.most).default(RATE_PER_SECOND.default),
    limit: z.int().min(1).max(REDRIVE_LIMIT.most).default(REDRIVE_LIMIT.default),
    includeSuperseded: z
      .boolean()
      .default(false)
      .meta({ description: 'Also turns whose conversation has a later completed turn' }),
    confirm: count
      .optional()
      .meta({ description: 'The count of the dry run, repeated; needed for more than one turn' }),
  })
  .meta({ id: 'ReplayMany' });

export const redriveHeaders = z.object({
  'Idempotency-Key': z.string().optional().meta({
    description:
      '1 to 255 visible ASCII characters, unique per admin: the same key with the same body is the same redrive, with another body it is 409. A dry run binds none',
  }),
});

export const redrivePlan = z
  .object({
    count: count.meta({ description: 'What would be replayed, after skips and `limit`' }),
    matched: count,
    held: count.optional().meta({
      description: 'Further turns that match, but that a redrive under way has already; absent when there is none',
    }),
    skipped: z.object({ superseded: count, suspended: count, api: count }),
    sample: z.array(uuid).meta({ description: 'The first of them, oldest first' }),
  })
  .meta({ id: 'RedrivePlan' });

export const redriveStarted = z.object({ redriveId: uuid, count }).meta({ id: 'RedriveStarted' });

const skipReason = z.enum(SKIP_REASONS);

export const redrive = z
  .object({
    redriveId: uuid,
    adminId: z.int().nullable().meta({ description: 'Who started it; null: through the CLI' }),
    admin: person.nullable(),
    state: z.enum(REDRIVE_STATES).meta({ description: '`cancelling`: what runs may end, nothing more is begun' }),
    reason: z.string(),
    filter: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .meta({ description: 'As asked; instants in milliseconds' }),
    includeSuperseded: z.boolean(),
    ratePerSecond: z.int(),
    count,
    progress: z.object({
      waiting: count.meta({ description: 'Not begun; of a redrive that is over: not done' }),
      running: count,
      completed: count,
      stopped: count,
      failed: count,
      skipped: z.object({
        superseded: count,
        suspended: count,
        busy: count,
        not_failed: count,
        api: count,
        erased: count,
      }),
    }),
    createdAt: instant,
    endedAt: instant.nullable(),
    workflow: z.object({ workflowId: z.string(), url: z.url().nullable() }),
  })
  .meta({ id: 'Redrive' });

export const redrivePage = pageOf(redrive).meta({ id: 'Redrives' });
export const redrivesQuery = z.strictObject(pageQuery);

export const redriveDetail = redrive
  .extend({
    turns: pageOf(
      z.object({
        turnId: uuid,
        position: z.int(),
        state: z.enum(REDRIVE_TURN_STATES),
        code: z.union([errorCode, skipReason]).nullable().meta({ description: 'Why it failed again, or was skipped' }),
      }),
    ).meta({
      description: 'In the order of their replay; `state`, `limit` and `cursor` of this call page through them',
    }),
  })
  .meta({ id: 'RedriveDetail' });

export const redriveQuery = z.strictObject({ ...pageQuery, state: z.enum(REDRIVE_TURN_STATES).optional() });
export const redriveStepBody = z.strictObject({ reason: reason.optional() }).meta({ id: 'RedriveStep' });
