import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Gate } from '../fake-model/scenario.ts';
import { COMMIT, openProxy, type Proxy } from '../support/proxy.ts';
import { required, startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';

/**
 * PostgreSQL does what it is told, and the answer of the COMMIT is lost on the way (G35). It is back at once, so that
 * what was written is found; or it stays away, so that the caller is told what is bound.
 */
let stack: TestStack;
let admin: Person;
let postgresql: Proxy;
beforeAll(async () => {
  postgresql = await openProxy(required('TEST_DATABASE_URL'));
  stack = await startTestStack({}, { postgresql: { by: postgresql } });
  admin = await stack.person('admin');
});
afterEach(() => postgresql.heal());
afterAll(async () => {
  await stack.close();
  await postgresql.close();
});

type Answer = Awaited<ReturnType<Person['call']>>;
type Ask = () => Promise<Answer>;

/** @param words that the transaction says; with COMMIT alone, nothing else may commit meanwhile. */
async function answerLost(ask: Ask, words: readonly string[] = [COMMIT]): Promise<Answer> {
  const lost = postgresql.loseAnswerTo(...words);
  const [answer] = await Promise.all([ask(), lost.then(() => postgresql.heal())]);
  return answer;
}

/** And PostgreSQL is gone for longer than anybody looks. */
async function answerLostForLong(ask: Ask, words: readonly string[] = [COMMIT]): Promise<Answer> {
  const lost = postgresql.loseAnswerTo(...words);
  const [answer] = await Promise.all([ask(), lost]);
  await postgresql.heal();
  return answer;
}

const question = () => `질문 ${randomUUID()}`;

async function failedTurn(): Promise<TestTurn> {
  const turn = new TestTurn(stack, await stack.person());
  stack.model.next({ status: 400 });
  expect((await turn.send()).status).toBe(502);
  await turn.ended();
  return turn;
}

async function refusedTurn(): Promise<TestTurn> {
  const turn = new TestTurn(stack, await stack.person(), { message: question() });
  await setUsage(turn.person, 105);
  expect((await turn.send()).status).toBe(402);
  await turn.ended();
  await setUsage(turn.person, 0);
  return turn;
}

function setUsage({ userId, call }: Person, usagePercent: number): Promise<Answer> {
  return call('POST', '/api/ai-usage/test-usage', { userId, usagePercent });
}

/** One question, one model call, one debit, whatever was sent how often. */
async function expectOnce({ userId }: Person, callsBefore: number): Promise<void> {
  const { rows } = await sql`select count(*)::int as turns, min(state) as state,
      (select count(*)::int from ledger_entries e join accounts a on a.id = e.account_id where a.user_id = ${userId} and e.kind = 'debit') as debits
    from turns where user_id = ${userId}`.execute(stack.db.database.sql);
  expect(rows).toEqual([{ turns: 1, state: 'completed', debits: 1 }]);
  expect(stack.model.requests).toHaveLength(callsBefore + 1);
}

describe('a send whose COMMIT is not answered', () => {
  test('is found by the id that was chosen before, and answered as if nothing had happened', async () => {
    const person = await stack.person();
    const [message, calls] = [question(), stack.model.requests.length];
    const answer = await answerLost(() => person.call('POST', '/api/chat/send', { message }), [message]);
    expect([answer.status, answer.body.state]).toEqual([200, 'completed']);
    await expectOnce(person, calls);
  });

  test('is 503 with its turn’s id, bound, when PostgreSQL stays away; that id joins it: one turn, one debit', async () => {
    const person = await stack.person();
    const [message, calls] = [question(), stack.model.requests.length];
    const { status, body, headers } = await answerLostForLong(
      () => person.call('POST', '/api/chat/send', { message }),
      [message],
    );
    expect([status, body.code, body.bound, headers.get('retry-after')]).toEqual([503, 'unavailable', true, '5']);
    const again = await person.call('POST', '/api/chat/send', { message, turnId: body.turnId });
    expect(again.body).toMatchObject({ state: 'completed', turnId: body.turnId, conversationId: body.conversationId });
    await expectOnce(person, calls);
  });

  test('of a refused turn that is judged anew: it runs, once', async () => {
    const turn = await refusedTurn();
    const calls = stack.model.requests.length;
    expect((await answerLost(() => turn.send(), [turn.turnId, COMMIT])).body).toMatchObject({
      state: 'completed',
      turnId: turn.turnId,
    });
    await expectOnce(turn.person, calls);
  });

  test('control: one that PostgreSQL cannot be reached for is bound to nothing', async () => {
    const person = await stack.person();
    await postgresql.cut();
    const { status, body } = await person.call('POST', '/api/chat/send', { message: question() });
    expect([status, body.bound, body.turnId]).toEqual([503, undefined, undefined]);
  });
});

describe('a turn run again, the COMMIT of which is not answered', () => {
  test('by its person: it runs', async () => {
    const turn = await failedTurn();
    const calls = stack.model.requests.length;
    expect((await answerLost(() => turn.retry(), [turn.turnId, COMMIT])).body).toMatchObject({ state: 'completed' });
    await expectOnce(turn.person, calls);
  });

  test('by its person, and PostgreSQL stays away: 503, bound; the retry pressed again joins it and runs it, once', async () => {
    const turn = await failedTurn();
    const calls = stack.model.requests.length;
    const { status, body } = await answerLostForLong(() => turn.retry(), [turn.turnId, COMMIT]);
    expect([status, body.turnId, body.bound]).toEqual([503, turn.turnId, true]);
    const pressed = await Promise.all([turn.retry(), turn.retry()]);
    expect(pressed.map((answer) => answer.body.state)).toEqual(['completed', 'completed']);
    await expectOnce(turn.person, calls);
    // Control: a turn that is over is not joined.
    expect((await turn.retry()).body.code).toBe('turn_not_failed');
  });

  test('by an admin: it runs, with one entry of the audit log; when PostgreSQL stays away, 503 says that it is bound', async () => {
    const turns = [await failedTurn(), await failedTurn()] as const;
    const [found, bound] = turns.map(
      ({ turnId }) =>
        () =>
          admin.call('POST', `/api/admin/turns/${turnId}/replay`, { reason: 'r' }),
    ) as [Ask, Ask];
    expect((await answerLost(found, [turns[0].turnId, COMMIT])).status).toBe(202);
    expect(await turns[0].ended()).toBe('COMPLETED');
    const { status, body } = await answerLostForLong(bound, [turns[1].turnId, COMMIT]);
    expect([status, body.turnId, body.bound]).toEqual([503, turns[1].turnId, true]);
    for (const { turnId } of turns)
      expect((await admin.call('GET', `/api/admin/audit?target=turn:${turnId}`)).body.items).toHaveLength(1);
  });

  test('with many, as a redrive: it is found and started; when PostgreSQL stays away, 503 names it, bound', async () => {
    const redrive = async (reason: string) => {
      const { userId } = (await failedTurn()).person;
      return () => admin.call('POST', '/api/admin/turns/replay', { filter: { userId }, reason, confirm: 1 });
    };
    const [found, bound] = [await redrive('to be found'), await redrive('to be bound')];
    const started = await answerLost(found, ['to be found', COMMIT]);
    expect([started.status, started.body]).toEqual([202, { redriveId: expect.any(String), count: 1 }]);
    const { status, body } = await answerLostForLong(bound, ['to be bound', COMMIT]);
    expect([status, body.bound]).toEqual([503, true]);
    const stateOf = async (redriveId: string) =>
      (await admin.call('GET', `/api/admin/redrives/${redriveId}`)).body.state;
    expect(await stateOf(body.redriveId)).toBe('running');
    await until(async () => (await stateOf(started.body.redriveId)) === 'completed');
  });
});

describe('another write whose COMMIT is not answered', () => {
  test('a grant and its reversal are found by their keys, each booked once', async () => {
    const { userId } = await stack.person();
    const change = { tokens: 500, reason: 'a gift' };
    const post = (path: string) => () => admin.call('POST', path, change, { 'idempotency-key': 'k' });
    const granted = await answerLost(post(`/api/admin/users/${userId}/grants`), ['a gift', COMMIT]);
    expect([granted.status, granted.body.tokens]).toEqual([201, 500]);
    expect(
      (await answerLost(post(`/api/admin/grants/${granted.body.entryId}/reversals`), ['a gift', COMMIT])).status,
    ).toBe(201);
    const { body } = await admin.call('GET', `/api/admin/users/${userId}`);
    expect(body.ledger.items).toHaveLength(2);
  });

  test('a suspension says bound; suspended again, the turn that ran is told to stop', async () => {
    const turn = new TestTurn(stack, await stack.person());
    const gate = new Gate(3);
    stack.model.next({ gate });
    const sending = turn.send();
    await gate.reached;
    const suspend = () => admin.call('POST', `/api/admin/users/${turn.person.userId}/suspend`, { reason: 'for now' });
    const { status, body } = await answerLost(suspend, ['for now', COMMIT]);
    expect([status, body.code, body.bound]).toEqual([503, 'unavailable', true]);
    expect((await suspend()).body.stopping).toEqual([turn.turnId]);
    expect((await sending).body.state).toBe('stopped');
    await turn.ended();
    const resume = () => admin.call('POST', `/api/admin/users/${turn.person.userId}/resume`, { reason: 'no more' });
    expect((await answerLost(resume, ['no more', COMMIT])).body).toMatchObject({ code: 'unavailable', bound: true });
    expect((await resume()).body.suspendedAt).toBeNull();
  });

  test('a level that was set, a profile, a conversation and notifications that were changed say bound', async () => {
    const turn = new TestTurn(stack, await stack.person());
    const { conversationId } = (await turn.send()).body;
    await turn.ended();
    const { person } = turn;
    for (const ask of [
      () => setUsage(person, 50),
      () => person.call('PATCH', '/api/me', { locale: 'en' }),
      () => person.call('PATCH', `/api/conversations/${conversationId}`, { title: '새 이름' }),
      () => person.call('POST', '/api/notifications/read-all'),
    ]) {
      expect((await answerLost(ask)).body).toMatchObject({ code: 'unavailable', bound: true });
      expect((await ask()).status).toBe(200);
    }
  });
});
