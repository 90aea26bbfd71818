import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import type { ApiAnswer, ApiPrompt } from '../../domain/api-prompt.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { RATINGS } from '../../domain/feedback.ts';
import type { Encoding } from '../../domain/model.ts';
import type { TurnInstructions } from '../../domain/own-instructions.ts';
import { TURN_STATES } from '../../domain/turn.ts';
import type { Warning } from '../../domain/usage-state.ts';
import { Account } from './account.ts';
import { Conversation } from './conversation.ts';
import { ApiKey } from './keys/api-key.ts';
import { sqlIndex, tokenCount } from './postgres.ts';
import { User } from './user.ts';

const NEWEST = [
  { name: 'createdAt', sort: 'desc' },
  { name: 'id', sort: 'desc' },
] as const;

export const Turn = defineEntity({
  name: 'Turn',
  tableName: 'turns',
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(User),
    account: () => p.manyToOne(Account),
    conversation: () => p.manyToOne(Conversation),
    sequence: p.integer(),
    parentSequence: p.integer().nullable(),
    state: p.enum(TURN_STATES).default('accepted'),
    model: p.text(),
    askedOutput: p.integer().nullable(),
    outputLimit: p.integer().nullable(),
    bodyHash: p.blob().$type<Buffer>(),
    idempotencyKey: p.text().nullable(),
    question: p.text(),
    questionTokens: p.integer(),
    encoding: p.text().$type<Encoding>(),
    answer: p.text().nullable(),
    answerTokens: p.integer().nullable(),
    answerAttempt: p.integer().nullable(),
    streamEntries: p.integer().nullable(),
    attempt: p.integer().default(0),
    runId: p.text().nullable(),
    runReason: p.enum(['send', 'retry', 'replay', 'reset']).default('send'),
    finishReason: p.text().$type<'stop' | 'length'>().nullable(),
    errorCode: p.text().$type<ErrorCode>().nullable(),
    promptTokens: p.integer().nullable(),
    completionTokens: p.integer().nullable(),
    debitedTokens: tokenCount().nullable(),
    estimated: p.boolean().nullable(),
    warning: p.json<Warning>().nullable(),
    stopRequestedAt: p.datetime().nullable(),
    everAdmitted: p.boolean().default(false),
    admittedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    touchedAt: p.datetime().defaultRaw('now()'),
    endedAt: p.datetime().nullable(),
    replayedAt: p.datetime().nullable(),
    isApi: p.boolean().default(false),
    erasedAt: p.datetime().nullable(),
    // The key of ours with which it was asked, or run again by its person.
    apiKey: () => p.manyToOne(ApiKey).nullable(),
    // What its person told the model beside it, when it was judged.
    instructions: p.json<TurnInstructions>().nullable(),
    // How many files the question shows (turn_files): most show none, and nobody looks for them.
    fileCount: p.smallint().default(0),
  },
  checks: [
    { name: 'turns_asked_output_is_positive', expression: 'asked_output > 0' },
    {
      name: 'turns_end_when_they_are_over',
      expression: "(ended_at is null) = (state in ('accepted', 'running'))",
    },
    { name: 'turns_refused_were_never_admitted', expression: "state <> 'refused' or not ever_admitted" },
    {
      name: 'turns_failed_say_why',
      expression: "state <> all (array['failed', 'refused']) or error_code is not null",
    },
    {
      name: 'turns_come_after_their_parent',
      expression: 'parent_sequence >= 0 and parent_sequence < sequence',
    },
    {
      name: 'turns_completed_have_an_answer',
      expression: "state <> 'completed' or answer is not null or erased_at is not null",
    },
    {
      name: 'turns_erased_hold_no_text',
      expression:
        "erased_at is null or (question = '' and answer is null and length(body_hash) = 0 and ended_at is not null)",
    },
    { name: 'turns_erased_hold_no_instructions', expression: 'erased_at is null or instructions is null' },
  ],
  uniques: [
    { name: 'turns_sequence_is_unique', properties: ['conversation', 'sequence'] },
    {
      name: 'turns_idempotency_key_is_unique',
      properties: ['account', 'idempotencyKey'],
      where: 'idempotency_key is not null',
    },
    {
      name: 'turns_one_running_a_conversation',
      properties: ['conversation'],
      where: "state in ('accepted', 'running')",
    },
  ],
  indexes: [
    {
      name: 'turns_by_parent',
      properties: ['conversation', 'parentSequence', 'sequence'],
      where: 'parent_sequence is not null',
    },
    { name: 'turns_quiet', properties: ['touchedAt'], where: "state in ('accepted', 'running')" },
    { name: 'turns_touched_of_user', properties: ['user', 'touchedAt'] },
    { name: 'turns_newest', columns: [...NEWEST] },
    sqlIndex('turns_newest_of_user', 'turns (user_id, created_at desc, id desc)'),
    { name: 'turns_newest_of_model', columns: [{ name: 'model' }, ...NEWEST] },
    {
      name: 'turns_without_answer',
      columns: [{ name: 'state' }, ...NEWEST, { name: 'model' }],
      where: "state in ('stopped', 'failed', 'refused')",
    },
    {
      name: 'turns_by_error',
      columns: [{ name: 'errorCode' }, ...NEWEST, { name: 'state' }, { name: 'model' }],
      where: 'error_code is not null',
    },
    sqlIndex(
      'turns_by_error_of_user',
      'turns (user_id, error_code, created_at desc, id desc, state) where error_code is not null',
    ),
    // A turn comes in once, when it has ended: the keys of a text are not computed again for each step on the way.
    sqlIndex(
      'turns_by_text',
      'turns using gin (search_keys(user_id, question), search_keys(user_id, answer)) where ended_at is not null and ever_admitted and erased_at is null',
    ),
    { name: 'turns_replayed', columns: [...NEWEST], where: 'replayed_at is not null' },
  ],
});
export type Turn = InferEntity<typeof Turn>;

/** What a turn of the OpenAI door was asked. Its text is erased some time after the turn's end; the row stays. */
export const TurnPrompt = defineEntity({
  name: 'TurnPrompt',
  tableName: 'turn_prompts',
  properties: {
    turn: () => p.oneToOne(Turn).owner().primary().deleteRule('cascade').updateRule('no action'),
    // Null: who asked came with a token of the issuer.
    apiKey: () => p.manyToOne(ApiKey).nullable(),
    askedAt: p.datetime().defaultRaw('now()'),
    prompt: p.json<ApiPrompt>().nullable(),
    // Null: there is none yet, or it was text alone. The text is the turn's.
    answer: p.json<ApiAnswer>().nullable(),
    // Whom the client asked for, in its own words. Usage is counted by it, money never.
    label: p.text().nullable(),
    // Whether text leaves while the model still answers.
    streamed: p.boolean(),
    firstDeltaAt: p.datetime().nullable(),
    // Since when nobody waits for the answer; a retry of the client may join.
    leftAt: p.datetime().nullable(),
    // The process whose client waits for the answer; one that is killed can note nothing.
    waitingProcess: p.uuid().nullable(),
    erasedAt: p.datetime().nullable(),
  },
  checks: [
    { name: 'turn_prompts_are_erased_whole', expression: '(prompt is null) = (erased_at is not null)' },
    { name: 'turn_prompts_label_is_short', expression: 'length(label) >= 1 and length(label) <= 64' },
    { name: 'turn_prompts_erased_hold_no_answer', expression: 'erased_at is null or answer is null' },
  ],
  indexes: [
    sqlIndex('turn_prompts_left', 'turn_prompts (left_at) where left_at is not null'),
    sqlIndex('turn_prompts_by_age', 'turn_prompts (asked_at) where erased_at is null'),
  ],
});
export type TurnPrompt = InferEntity<typeof TurnPrompt>;
/** What a person said of an answer, with no word of either. */
export const AnswerFeedback = defineEntity({
  name: 'AnswerFeedback',
  tableName: 'answer_feedback',
  properties: {
    turn: () => p.oneToOne(Turn).owner().primary().updateRule('no action').deleteRule('no action'),
    model: p.text(),
    rating: p.enum(RATINGS),
    ratedAt: p.datetime().defaultRaw('now()'),
  },
});
export type AnswerFeedback = InferEntity<typeof AnswerFeedback>;
