import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { requestStop } from '../../db/turns/turns.ts';
import { turnWorkflowId } from '../../workflows/contract/ids.ts';
import { attemptsOf } from '../db/fixture.ts';
import { Gate } from '../fake-model/scenario.ts';
import { readEvents, textOf } from '../support/events.ts';
import { lockRows } from '../support/lock.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const ANSWER = { chunks: ['안녕', '하세요', '. 무엇을 ', '도와드릴까요?'] };
const STREAM = { accept: 'text/event-stream' };
const ASYNC = { prefer: 'respond-async' };
let stack: TestStack;
let person: Person;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

async function newcomer(): Promise<Person> {
  person = await stack.person();
  return person;
}

/**
 * Uses tokens before the test: the period's first debit arms the reset, which takes six history events once a month.
 */
async function usedBefore(): Promise<void> {
  await newcomer();
  expect(
    (await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 1 })).status,
  ).toBe(200);
}

/** The turn's debits and its open holds, which every ending must leave right. */
async function booksOf(turnId: string): Promise<{ debits: number; debited: number; liveHolds: number }> {
  const { rows } = await sql<{ debits: number; debited: number; liveHolds: number }>`select
      (select count(*)::int from ledger_entries where turn_id = ${turnId} and kind = 'debit') as debits,
      (select coalesce(sum(tokens), 0)::int from ledger_entries where turn_id = ${turnId}) as debited,
      (select count(*)::int from holds where turn_id = ${turnId} and state = 'pending') as "liveHolds"`.execute(
    stack.db.database.sql,
  );
  return rows[0] ?? { debits: -1, debited: -1, liveHolds: -1 };
}

/**
 * Stores the wish to stop without its message: the state that a worker finds which fails before it hears of the stop.
 */
async function askToStop(turnId: string): Promise<void> {
  await requestStop(stack.db.database, { turnId, userId: person.userId });
}

async function historyOf(turnId: string): Promise<{ events: number; status: string; text: string }> {
  const handle = stack.temporal.client.workflow.getHandle(turnWorkflowId(person.userId, turnId));
  await handle.result().catch(() => {});
  const { events = [] } = await handle.fetchHistory();
  return { events: events?.length ?? 0, status: (await handle.describe()).status.name, text: JSON.stringify(events) };
}

describe('what each ending costs', () => {
  test("completed: the provider's usage, once, in 13 history events that hold no text", async () => {
    await usedBefore();
    stack.model.next({ ...ANSWER, usage: { prompt_tokens: 21, completion_tokens: 9 } });
    const { status, body } = await person.call('POST', '/api/chat/send', { message: '비밀 질문입니다' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: 'completed',
      attempt: 1,
      content: ANSWER.chunks.join(''),
      finishReason: 'stop',
      maxOutputTokens: 2_048,
      usage: { promptTokens: 21, completionTokens: 9, totalTokens: 30, debitedTokens: 30, estimated: false },
    });
    expect(await booksOf(body.turnId)).toEqual({ debits: 1, debited: 30, liveHolds: 0 });
    const { events, status: workflow, text } = await historyOf(body.turnId);
    expect({ events, workflow }).toEqual({ events: 13, workflow: 'COMPLETED' });
    for (const secret of ['비밀', '안녕', person.token]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, -4));
    }
    // Control: a text that the history has is found, both in the clear and in a payload.
    expect(text).toContain(body.turnId);
    expect(text).toContain(Buffer.from(`{"turnId":"${body.turnId}"`).toString('base64').slice(0, -4));
  });

  test('completed without usage: a tokenizer count, flagged', async () => {
    await newcomer();
    stack.model.next({ ...ANSWER, omitUsage: true });
    const { body } = await person.call('POST', '/api/chat/send', { message: '안녕하세요' });
    expect(body.usage).toMatchObject({ estimated: true, debitedTokens: body.usage.totalTokens });
    expect(body.usage.totalTokens).toBeGreaterThan(10);
    expect((await booksOf(body.turnId)).debits).toBe(1);
  });

  test('failed: nothing, and the workflow fails by its type', async () => {
    await newcomer();
    stack.model.next({ status: 401, error: { code: 'invalid_api_key' } });
    const { status, body } = await person.call(
      'POST',
      '/api/chat/send',
      { message: '안녕' },
      { 'accept-language': 'en' },
    );
    expect(status).toBe(502);
    expect(body).toMatchObject({
      code: 'model_rejected',
      retryable: false,
      turnId: expect.any(String),
      conversationId: expect.any(String),
    });
    expect(JSON.stringify(body)).not.toContain('quotes the prompt');
    expect(await booksOf(body.turnId)).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
    const history = await historyOf(body.turnId);
    expect(history.status).toBe('FAILED');
    expect(history.events).toBeLessThanOrEqual(15);
  });

  test('content filter: 422, nothing', async () => {
    await newcomer();
    stack.model.next({ ...ANSWER, finishReason: 'content_filter' });
    const { status, body } = await person.call('POST', '/api/chat/send', { message: '안녕' });
    expect([status, body.code]).toEqual([422, 'content_filtered']);
    expect((await booksOf(body.turnId)).debits).toBe(0);
  });

  test('a lost attempt costs nothing, its reader starts over, the retry is debited once', async () => {
    await newcomer();
    stack.model.next({ ...ANSWER, dropAt: 3 });
    stack.model.next(ANSWER);
    const events = await readEvents(await person.raw('POST', '/api/chat/send', { message: '안녕' }, STREAM));
    expect(events.map(({ event }) => event)).toContain('restarted');
    expect(events.at(-1)).toMatchObject({ event: 'completed', data: { turn: { attempt: 2 } } });
    expect(textOf(events)).toBe(ANSWER.chunks.join(''));
    expect((await booksOf(events.at(-1)?.data.turn.turnId)).debits).toBe(1);
  });

  test('stopped before the first delta: nothing', async () => {
    await newcomer();
    const gate = new Gate('request');
    stack.model.next({ ...ANSWER, gate });
    const turnId = randomUUID();
    const sending = person.call('POST', '/api/chat/send', { turnId, message: '안녕' });
    await gate.reached;
    expect((await person.call('POST', `/api/chat/turns/${turnId}/stop`)).status).toBe(202);
    const { status, body } = await sending;
    gate.open();
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'stopped', content: '', usage: { debitedTokens: 0 } });
    expect(await booksOf(turnId)).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
  });

  test('stopped after it: what came, counted by us; a second stop answers the ending', async () => {
    await usedBefore();
    const gate = new Gate(3);
    stack.model.next({ ...ANSWER, gate });
    const turnId = randomUUID();
    const sending = person.call('POST', '/api/chat/send', { turnId, message: '안녕' });
    await gate.reached;
    const watching = await person.raw('GET', `/api/chat/turns/${turnId}/events`);
    await readEvents(watching, (seen) => textOf(seen).includes('하세요'));
    await person.call('POST', `/api/chat/turns/${turnId}/stop`);
    const { body } = await sending;
    gate.open();
    expect(body).toMatchObject({ state: 'stopped', content: '안녕하세요', usage: { estimated: true } });
    expect(await booksOf(turnId)).toEqual({ debits: 1, debited: body.usage.debitedTokens, liveHolds: 0 });
    expect((await person.call('POST', `/api/chat/turns/${turnId}/stop`)).body).toEqual(body);
    expect((await historyOf(turnId)).events).toBeLessThanOrEqual(20);
  });

  test('stopped while the model failed: what would be tried again is settled with what came', async () => {
    await newcomer();
    const gate = new Gate(3);
    stack.model.next({ ...ANSWER, gate, dropAt: 3 });
    const calls = stack.model.requests.length;
    const turnId = randomUUID();
    const reading = person
      .raw('POST', '/api/chat/send', { turnId, message: '안녕' }, STREAM)
      .then((response) => readEvents(response));
    await gate.reached;
    await askToStop(turnId);
    gate.open();
    const events = await reading;
    const { turn } = events.at(-1)?.data;
    expect(turn).toMatchObject({ state: 'stopped', content: '안녕하세요', usage: { estimated: true } });
    expect(textOf(events)).toBe('안녕하세요');
    expect(await booksOf(turnId)).toEqual({ debits: 1, debited: turn.usage.debitedTokens, liveHolds: 0 });
    expect(stack.model.requests).toHaveLength(calls + 1);
  });

  test('stopped when the model has failed for good: the failure came first, nothing', async () => {
    await newcomer();
    const gate = new Gate('finish');
    stack.model.next({ ...ANSWER, gate, finishReason: 'content_filter' });
    const turnId = randomUUID();
    const sending = person.call('POST', '/api/chat/send', { turnId, message: '안녕' });
    await gate.reached;
    const lock = await lockRows(stack.db.url, 'select 1 from attempts where turn_id = $1', [turnId]);
    gate.open();
    // The worker knows how the call ended; now the stop comes.
    await until(() => lock.isWanted());
    await person.call('POST', `/api/chat/turns/${turnId}/stop`);
    await lock.release();
    const { status, body } = await sending;
    expect([status, body.code]).toEqual([422, 'content_filtered']);
    expect(await booksOf(turnId)).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
  });

  test('stopped between two attempts: nothing, at once, and the reader drops the text of the lost one', async () => {
    await newcomer();
    const calls = stack.model.requests.length;
    stack.model.next({
      ...ANSWER,
      errorAt: 3,
      error: { code: 'rate_limit_exceeded' },
      headers: { 'retry-after': '60' },
    });
    const turnId = randomUUID();
    const reading = person
      .raw('POST', '/api/chat/send', { turnId, message: '안녕' }, STREAM)
      .then((response) => readEvents(response));
    await until(async () => (await attemptsOf(stack.db.database.sql, turnId))[0]?.state === 'failed');
    await person.call('POST', `/api/chat/turns/${turnId}/stop`);
    const events = await reading;
    expect(events.map(({ event }) => event)).toContain('delta');
    expect(events.at(-1)).toMatchObject({
      event: 'stopped',
      data: { turn: { content: '', usage: { debitedTokens: 0 } } },
    });
    expect(textOf(events)).toBe('');
    expect(stack.model.requests).toHaveLength(calls + 1);
    expect(await booksOf(turnId)).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
  });

  test('refused: 402 with the figures for JSON, stream and async alike, nothing bound, six events', async () => {
    await newcomer();
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
    const turnId = randomUUID();
    const calls = stack.model.requests.length;
    for (const headers of [{}, STREAM, ASYNC]) {
      const { status, body } = await person.call('POST', '/api/chat/send', { turnId, message: '안녕' }, headers);
      expect(status).toBe(402);
      expect(Object.keys(body).sort()).toEqual([
        'code',
        'message',
        'purchaseUrl',
        'recommendedAction',
        'remainingTokens',
        'requestId',
        'resetsAt',
      ]);
      expect(body).toMatchObject({ code: 'TOKEN_EXHAUSTED', remainingTokens: 0, recommendedAction: 'PURCHASE_TOKENS' });
    }
    expect(stack.model.requests).toHaveLength(calls);
    expect((await historyOf(turnId)).events).toBe(6);
    expect((await person.call('GET', `/api/chat/turns/${turnId}/events`)).status).toBe(402);
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 0 });
    expect((await person.call('POST', '/api/chat/send', { turnId, message: '다른 질문' })).body).toMatchObject({
      turnId,
      state: 'completed',
    });
  });
});

describe('sending again', () => {
  test('running: the same body joins it, another is 409, and one model call is made', async () => {
    await newcomer();
    const gate = new Gate(2);
    stack.model.next({ ...ANSWER, gate });
    const calls = stack.model.requests.length;
    const body = { turnId: randomUUID(), message: '안녕' };
    const first = person.call('POST', '/api/chat/send', body, ASYNC);
    expect(await first).toMatchObject({
      status: 202,
      body: { turnId: body.turnId, conversationId: expect.any(String) },
    });
    await gate.reached;
    const joined = readEvents(await person.raw('POST', '/api/chat/send', body, STREAM));
    const other = await person.call('POST', '/api/chat/send', { ...body, message: '다른' });
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_conflict']);
    expect((await person.call('POST', `/api/chat/turns/${body.turnId}/retry`)).body.code).toBe('turn_not_failed');
    gate.open();
    expect(textOf(await joined)).toBe(ANSWER.chunks.join(''));
    expect(stack.model.requests).toHaveLength(calls + 1);
  });

  test('completed: the stored answer, no model call, also as a stream', async () => {
    await newcomer();
    const body = { message: '안녕' };
    const key = { 'idempotency-key': 'key-1' };
    const first = await person.call('POST', '/api/chat/send', body, key);
    const calls = stack.model.requests.length;
    expect((await person.call('POST', '/api/chat/send', body, key)).body).toEqual(first.body);
    const events = await readEvents(await person.raw('POST', '/api/chat/send', body, { ...key, ...STREAM }));
    expect(textOf(events)).toBe(first.body.content);
    expect(stack.model.requests).toHaveLength(calls);
    expect((await person.call('POST', `/api/chat/turns/${first.body.turnId}/retry`)).status).toBe(409);
    expect((await booksOf(first.body.turnId)).debits).toBe(1);
  });

  test("failed: the same failure; the person's retry runs it and debits once", async () => {
    await newcomer();
    stack.model.next({ status: 400 });
    const body = { turnId: randomUUID(), message: '안녕' };
    const first = await person.call('POST', '/api/chat/send', body);
    const again = await person.call('POST', '/api/chat/send', body);
    expect([again.status, again.body.code, again.body.turnId]).toEqual([
      first.status,
      first.body.code,
      first.body.turnId,
    ]);
    const failed = await readEvents(await person.raw('POST', '/api/chat/send', body, STREAM));
    expect(failed.map(({ event }) => event)).toEqual(['accepted', 'failed']);
    const retried = await person.call('POST', `/api/chat/turns/${body.turnId}/retry`);
    expect(retried).toMatchObject({ status: 200, body: { state: 'completed', attempt: 2 } });
    expect((await booksOf(body.turnId)).debits).toBe(1);
  });

  test('a conversation runs one turn at a time', async () => {
    await newcomer();
    const gate = new Gate('request');
    stack.model.next({ ...ANSWER, gate });
    const {
      body: { conversationId, turnId },
    } = await person.call('POST', '/api/chat/send', { message: '하나' }, ASYNC);
    const busy = await person.call('POST', '/api/chat/send', { message: '둘', conversationId });
    expect([busy.status, busy.body.code, busy.headers.get('retry-after')]).toEqual([409, 'conversation_busy', '5']);
    gate.open();
    await readEvents(await person.raw('GET', `/api/chat/turns/${turnId}/events`));
    expect((await person.call('POST', '/api/chat/send', { message: '둘', conversationId })).status).toBe(200);
    expect(stack.model.requests.at(-1)?.body.messages.map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
    ]);
  });
});

describe('a stream', () => {
  test('resumes from every id with exactly the rest', async () => {
    await newcomer();
    const events = await readEvents(await person.raw('POST', '/api/chat/send', { message: '안녕' }, STREAM));
    const turnId = events[0]?.data.turnId as string;
    for (const [i, { id }] of events.slice(0, -1).entries()) {
      const rest = await readEvents(
        await person.raw('GET', `/api/chat/turns/${turnId}/events`, undefined, { 'last-event-id': id }),
      );
      expect(textOf(rest, textOf(events.slice(0, i + 1)))).toBe(ANSWER.chunks.join(''));
      expect(rest.at(-1)?.event).toBe('completed');
    }
    const malformed = await person.call('GET', `/api/chat/turns/${turnId}/events`, undefined, { 'last-event-id': 'x' });
    expect([malformed.status, malformed.body.code]).toEqual([400, 'invalid_event_id']);
  });

  test('a reader that goes away stops nothing', async () => {
    await newcomer();
    const gate = new Gate(3);
    stack.model.next({ ...ANSWER, gate });
    const turnId = randomUUID();
    await readEvents(
      await person.raw('POST', '/api/chat/send', { turnId, message: '안녕' }, STREAM),
      (seen) => textOf(seen) !== '',
    );
    gate.open();
    const events = await readEvents(await person.raw('GET', `/api/chat/turns/${turnId}/events`));
    expect(events.at(-1)).toMatchObject({ event: 'completed', data: { turn: { content: ANSWER.chunks.join('') } } });
  });
});
