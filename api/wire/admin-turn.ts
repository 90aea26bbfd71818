import { z } from 'zod';
import { BUCKETS, MOST_DAYS } from '../../domain/failure-buckets.ts';
import { noTimeZone, resolveTimeZone } from '../../domain/time-zones.ts';
import { ATTEMPT_OUTCOMES, HOLD_ENDS, TIMELINE_STEPS } from '../../domain/turn-timeline.ts';
import { reason } from './audit.ts';
import { errorCode } from './error.ts';
import { instant, pageOf, pageQuery, tokens, uuid } from './fields.ts';
import { person } from './named-person.ts';
import { turnFilterQuery } from './turn-filter.ts';
import { turn, turnState } from './turn.ts';

/** A turn without its texts. */
export const adminTurn = turn
  .omit({ content: true, warning: true })
  .extend({
    userId: z.int(),
    person: person.nullable(),
    sequence: z.int().min(1).meta({ description: 'Its number in the conversation' }),
    replayedAt: instant
      .optional()
      .meta({ description: 'When it was last run again after a failure, by a replay or a reset in the Temporal UI' }),
    durationMs: z.int().min(0).optional().meta({ description: 'From accepted to its last ending' }),
  })
  .meta({ id: 'AdminTurn' });

export const adminTurnsQuery = z.strictObject({ ...turnFilterQuery, ...pageQuery });

export const failureCount = z
  .object({
    code: errorCode,
    count: z.int().min(1),
    more: z.boolean().meta({ description: 'Counting stopped at 10,000: show it as “10,000+”' }),
  })
  .meta({ id: 'FailureCount' });

export const adminTurnPage = pageOf(adminTurn)
  .extend({
    counts: z.array(failureCount).nullable().meta({
      description:
        'Failed turns of the filter by code, most frequent first (with `state=refused` the refused ones); only on the first page, null with a cursor',
    }),
  })
  .meta({ id: 'AdminTurns' });

const { state: _, ...whichFailed } = turnFilterQuery;

export const failuresQuery = z.strictObject({
  ...whichFailed,
  bucket: z
    .enum(BUCKETS)
    .default('hour')
    .meta({
      description: `From \`from\` (a day before \`to\`, 30 by day) to \`to\` (now): at most ${MOST_DAYS.hour} days by hour, ${MOST_DAYS.day} by day`,
    }),
  timeZone: z
    .string()
    .refine((name) => resolveTimeZone(name) !== null, { error: ({ input }) => noTimeZone(String(input)) })
    .default('Asia/Seoul')
    .meta({ description: 'On whose wall clock an hour and a day begin', example: 'Asia/Seoul' }),
});

export const failures = z
  .object({
    bucket: z.enum(BUCKETS),
    items: z
      .array(
        z.object({
          from: instant,
          to: instant,
          counts: z.array(failureCount).meta({ description: 'Most frequent first; empty where nothing failed' }),
        }),
      )
      .meta({ description: 'Oldest first, without gaps; the first and the last are cut at `from` and `to`' }),
  })
  .meta({ id: 'Failures' });

export const replayBody = z.strictObject({ reason }).meta({ id: 'Replay' });

export const adminTurnQuery = z.strictObject({
  include: z
    .literal('content')
    .optional()
    .meta({ description: '`content`: with question and answer; the audit log keeps who read them' }),
});

const runId = z.string().meta({ description: 'Temporal’s run' });
const url = z.url().nullable().meta({ description: 'In the Temporal UI; null without TEMPORAL_UI_URL' });

const timelineStep = z
  .object({
    at: instant,
    sinceAcceptedMs: z.int(),
    step: z.enum(TIMELINE_STEPS),
    runId: runId.optional(),
    attempt: z.int().min(1).optional(),
    outcome: z.enum(ATTEMPT_OUTCOMES).optional(),
    state: turnState.optional(),
    code: errorCode.nullable().optional(),
    tokens: tokens.optional().meta({ description: 'Of the hold' }),
    durationMs: z.int().min(0).optional(),
  })
  .meta({ id: 'TimelineStep' });

const hold = z
  .object({
    holdId: uuid,
    runId,
    state: z.enum(['pending', ...HOLD_ENDS]),
    tokens,
    promptTokens: tokens,
    outputLimit: tokens,
    createdAt: instant,
    endedAt: instant.nullable(),
    expiresAt: instant.nullable().meta({ description: 'null: an answer is stored, it waits for settle' }),
  })
  .meta({ id: 'Hold' });

const attempt = z
  .object({
    number: z.int().min(1),
    runId,
    state: z.enum(['open', ...ATTEMPT_OUTCOMES]),
    error: errorCode.nullable(),
    provider: z
      .object({
        status: z.int().nullable(),
        code: z.string().nullable().meta({ example: 'invalid_api_key' }),
        requestId: z.string().nullable(),
      })
      .meta({ description: 'What the provider said, in machine words' }),
    finishReason: z.string().nullable(),
    finishWord: z.string().nullable().meta({ description: 'How the provider put it', example: 'MAX_TOKENS' }),
    finishUnknown: z.boolean().meta({
      description: 'Nobody knows its word, or it sent none and its usage showed that the answer was whole',
    }),
    providerUsage: z
      .record(z.string(), z.union([z.number(), z.string()]))
      .nullable()
      .meta({ description: 'Its own figures, where our count stands in place of them' }),
    usage: z
      .object({
        promptTokens: tokens,
        cachedTokens: tokens,
        completionTokens: tokens,
        reasoningTokens: tokens,
        estimated: z.boolean(),
      })
      .nullable()
      .meta({ description: 'What the provider charged, also when nobody was debited' }),
    startedAt: instant,
    endedAt: instant.nullable(),
    durationMs: z.int().min(0).nullable(),
  })
  .meta({ id: 'Attempt' });

const debit = z.object({
  entryId: z.int(),
  kind: z.literal('debit'),
  period: z.string(),
  tokens,
  purchasedTokens: tokens,
  allowanceTokens: tokens,
  overageTokens: tokens,
  estimated: z.boolean(),
  overHold: z.boolean(),
  ceilingMoved: z.boolean(),
  createdAt: instant,
});

const workflow = z.object({
  workflowId: z.string(),
  status: z.string().nullable().meta({
    description: 'Of its newest run, as Temporal says now; null when it does not say or has none',
    example: 'FAILED',
  }),
  url,
  runs: z.array(z.object({ runId, url })).meta({ description: 'Oldest first' }),
});

export const adminTurnDetail = adminTurn
  .extend({
    timeline: z.array(timelineStep).meta({ description: 'Oldest first, over all runs' }),
    holds: z.array(hold),
    attempts: z.array(attempt),
    ledgerEntries: z.array(debit),
    workflow,
    question: z.string().optional(),
    answer: z.string().nullable().optional(),
  })
  .meta({ id: 'AdminTurnDetail' });
export type AdminTurnDetail = z.infer<typeof adminTurnDetail>;
