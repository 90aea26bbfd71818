import { createHash, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database, Sql } from '../../db/database.ts';
import { findAccount } from '../../db/money/accounts.ts';
import { createUser } from '../../db/people/users.ts';
import { acceptTurn, type Accepted, type SendRequest } from '../../db/turns/accept.ts';
import {
  openAttempt,
  storeAnswer,
  type AnswerToStore,
  type AttemptContext,
  type OpenedAttempt,
} from '../../db/turns/attempts.ts';
import { releaseTurn } from '../../db/turns/end.ts';
import { reserveTurn } from '../../db/turns/reserve.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { findTurn } from '../../db/turns/turns.ts';
import { attemptTimeoutMs } from '../../domain/attempt-limits.ts';
import type { PricedModel } from '../../domain/model.ts';
import type { Generated, Reserved, StoredAnswer } from '../../workflows/contract/turn.ts';
import { atInstant, clockFrom } from '../support/clock.ts';

/** The middle of a month in Seoul, far from any reset. */
export const NOW = Date.parse('2026-11-15T12:00:00+09:00');
/** For a database whose tests happen at `NOW`, or where `at` says. */
export const clock = clockFrom(() => NOW);

/** When it happens, for a database that was opened with `clock`. */
type When = { readonly now?: number | undefined };

/** Each word is one token and the instructions have none, so that figures in tests can be added in the head. */
export const MODEL: PricedModel = {
  name: 'm',
  instructions: '',
  historyTokens: 4_000,
  historyFileTokens: 8_000,
  vision: null,
  contextWindow: 1_000_000,
  maxOutputTokens: 32_768,
  defaultOutputTokens: 2_048,
  limitField: 'max_completion_tokens',
  encoding: 'o200k_base',
  usageFloor: 0.5,
  systemRole: 'system',
  refuses: [],
  unanswered: 'drop',
  rate: { id: 1_000_000, version: 1, input: 1000, cachedInput: 1000, output: 1000 },
};

export function countWords(text: string): number {
  return text.split(' ').filter((word) => word !== '').length;
}

export function context(change: Partial<AttemptContext> & { model?: PricedModel | null } = {}): AttemptContext {
  const { model = MODEL, ...rest } = change;
  return {
    runId: 'run-1',
    temporalAttempt: 1,
    scheduledAt: Date.now(),
    limitMs: attemptTimeoutMs(MODEL.defaultOutputTokens),
    findModel: (name) => (model?.name === name ? model : null),
    countTokens: countWords,
    ...rest,
  };
}

export interface Person {
  readonly userId: number;
  readonly accountId: number;
  readonly token: string;
}

export async function createPerson(
  database: Database,
  change: { timeZone?: string; role?: 'user' | 'admin'; allowance?: number } = {},
): Promise<Person> {
  await sql`insert into model_rates (id, model, version, input, cached_input, output) overriding system value
    values (${MODEL.rate.id}, 'm', 1, 1000, 1000, 1000) on conflict do nothing`.execute(database.sql);
  const { userId, token } = await createUser(database, {
    email: null,
    role: change.role ?? 'user',
    ...(change.timeZone === undefined ? {} : { timeZone: change.timeZone }),
  });
  const account = await findAccount(database.sql, userId);
  if (account === null) throw new Error('a user has an account');
  if (change.allowance !== undefined)
    await sql`update accounts set monthly_allowance_tokens = ${change.allowance} where id = ${account.accountId}`.execute(
      database.sql,
    );
  return { userId, token, accountId: account.accountId };
}

export function request(person: Person, change: Partial<SendRequest> = {}): SendRequest {
  const message = change.message ?? 'a question';
  return {
    userId: person.userId,
    accountId: person.accountId,
    turnId: null,
    idempotencyKey: null,
    conversationId: null,
    message,
    isLong: false,
    countMessage: () => countWords(message),
    encoding: 'o200k_base',
    model: 'm',
    askedOutput: null,
    bodyHash: createHash('sha256')
      .update(JSON.stringify([message, change.conversationId ?? null]))
      .digest(),
    ...change,
  };
}

/** What a request of the OpenAI door brings in place of a message. */
export const ofDoor = (content: string): Pick<SendRequest, 'message' | 'api'> => ({
  message: '',
  api: {
    apiKeyId: null,
    prompt: { messages: [{ role: 'user', content }], parameters: {} },
    streamed: false,
    label: null,
    waitingProcess: '00000000-0000-4000-8000-000000000000',
  },
});

export async function accept(
  database: Database,
  person: Person,
  change: Partial<SendRequest> = {},
): Promise<Accepted['turn']> {
  return (await acceptTurn(database, request(person, change))).turn;
}

export function reserve(
  database: Database,
  turnId: string,
  {
    now,
    isReset = false,
    ...change
  }: NonNullable<Parameters<typeof context>[0]> & When & { readonly isReset?: boolean } = {},
): Promise<Reserved> {
  return atInstant(now, () => reserveTurn(database, turnId, { cancelled: false, isReset }, context(change)));
}

export async function open(
  database: Database,
  turnId: string,
  { now, ...change }: NonNullable<Parameters<typeof context>[0]> & When = {},
): Promise<OpenedAttempt> {
  const opened = await atInstant(now, () => openAttempt(database, turnId, context(change)));
  if (opened?.kind !== 'opened') throw new Error(`no attempt was opened: ${JSON.stringify(opened)}`);
  return opened;
}

export function answerOf(turnId: string, attempt: number, change: Partial<AnswerToStore> = {}): AnswerToStore {
  return {
    turnId,
    attempt,
    outcome: 'completed',
    text: 'an answer',
    textTokens: 2,
    estimated: false,
    figures: null,
    finishReason: 'stop',
    finishWord: 'stop',
    finishUnknown: false,
    streamEntries: 3,
    providerRequestId: 'req',
    usage: { promptTokens: 9, cachedTokens: 0, completionTokens: 2, reasoningTokens: 0 },
    ...change,
  };
}

export function store(
  database: Database,
  turnId: string,
  attempt: number,
  { now, ...change }: Partial<AnswerToStore> & When = {},
): Promise<Generated | null> {
  return atInstant(now, () => storeAnswer(database, answerOf(turnId, attempt, change)));
}

export async function storedAnswer(generated: Promise<Generated | null>): Promise<StoredAnswer> {
  const result = await generated;
  if (result?.kind !== 'answered') throw new Error(`no answer was stored: ${JSON.stringify(result)}`);
  return result.answer;
}

/**
 * Runs a whole turn and settles it. It has 0 prompt tokens and `used` completion tokens, so the debit is exactly
 * `used`.
 */
export async function runTurn(
  database: Database,
  person: Person,
  change: {
    used?: number;
    send?: Partial<SendRequest>;
    text?: string;
    model?: PricedModel;
    firstDeltaMs?: number | null;
  } & When = {},
): Promise<string> {
  const { used = 11, now, text = 'an answer', model = MODEL, firstDeltaMs = null } = change;
  const { turnId } = await accept(database, person, change.send);
  const reserved = await reserve(database, turnId, { now, model });
  if (reserved.kind !== 'held') throw new Error(`not held: ${JSON.stringify(reserved)}`);
  const { number } = await open(database, turnId, { now, model });
  const usage = { promptTokens: 0, cachedTokens: 0, completionTokens: used, reasoningTokens: 0 };
  const answer = await storedAnswer(
    store(database, turnId, number, { usage, text, textTokens: countWords(text), firstDeltaMs, now }),
  );
  await atInstant(now, () => settleTurn(database, { turnId, answer }));
  return turnId;
}

/** Ends a turn, as the run whose model took too long does. */
export function failTurn(database: Database, turnId: string, runId = 'run-1'): ReturnType<typeof releaseTurn> {
  const reason = { as: 'failed', code: 'model_timeout' } as const;
  return releaseTurn(database, { turnId, runId, reason, scheduledAt: Date.now() });
}

export async function conversationOf(database: Database, turnId: string): Promise<string> {
  const turn = await findTurn(database, { turnId, userId: null });
  if (turn === null) throw new Error(`no turn ${turnId}`);
  return turn.conversationId;
}

export async function rows<Row>(on: Sql, query: { execute(on: Sql): Promise<{ rows: Row[] }> }): Promise<Row[]> {
  return (await query.execute(on)).rows;
}

export async function only<Row>(on: Sql, query: { execute(on: Sql): Promise<{ rows: Row[] }> }): Promise<Row> {
  const [row, ...more] = await rows(on, query);
  if (row === undefined || more.length > 0) throw new Error('not exactly one row');
  return row;
}

/** The figures in the account's rows. */
export function balanceOf(on: Sql, accountId: number) {
  return only(
    on,
    sql<{
      purchased: number;
      debt: number;
      used: number;
      spentPurchased: number;
      spentAllowance: number;
      overage: number;
      allowance: number;
      label: string;
    }>`
    select a.purchased_tokens::float8 as purchased, a.debt_tokens::float8 as debt, p.used_tokens::float8 as used, p.spent_purchased_tokens::float8 as "spentPurchased",
      p.spent_allowance_tokens::float8 as "spentAllowance", p.overage_tokens::float8 as overage, p.allowance_tokens::float8 as allowance, p.label
    from accounts a join lateral (select * from periods where account_id = a.id order by ends_at desc limit 1) p on true where a.id = ${accountId}`,
  );
}

export function holdsOf(on: Sql, turnId: string) {
  return rows(
    on,
    sql<{ state: string; tokens: number; runId: string; ordinal: number }>`
    select state, tokens::float8 as tokens, run_id as "runId", ordinal from holds where turn_id = ${turnId} order by created_at, ordinal`,
  );
}

export function attemptsOf(on: Sql, turnId: string) {
  return rows(
    on,
    sql<{
      number: number;
      state: string;
      runId: string;
      promptTokens: number | null;
      completionTokens: number | null;
      code: string | null;
    }>`
    select number, state, run_id as "runId", prompt_tokens as "promptTokens", completion_tokens as "completionTokens", error_code as code
    from attempts where turn_id = ${turnId} order by number`,
  );
}

export function debitsOf(on: Sql, turnId: string) {
  return rows(
    on,
    sql<{ tokens: number; estimated: boolean; overHold: boolean; ceilingMoved: boolean; label: string }>`
    select e.tokens::float8 as tokens, e.estimated, e.over_hold as "overHold", e.ceiling_moved as "ceilingMoved", p.label
    from ledger_entries e join periods p on p.id = e.period_id where e.turn_id = ${turnId}`,
  );
}

export const newId = (): string => randomUUID();
