import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { grantTokens } from '../../db/money/grants.ts';
import { Gate, type Scenario } from '../fake-model/scenario.ts';
import { readEvents, textOf } from '../support/events.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';

const ANSWER = { chunks: ['다시', ' 한', ' 답변'], usage: { prompt_tokens: 20, completion_tokens: 6 } };
const REJECTED = { status: 400 };
let stack: TestStack;
let admin: Person;
beforeAll(async () => {
  stack = await startTestStack();
  admin = await stack.person('admin');
});
afterAll(() => stack.close());

const replay = ({ turnId }: { turnId: string }, body: unknown = { reason: 'outage' }) =>
  admin.call('POST', `/api/admin/turns/${turnId}/replay`, body);

async function failedTurn(scenario: Scenario = REJECTED, body: object = {}, person?: Person): Promise<TestTurn> {
  const turn = new TestTurn(stack, person ?? (await stack.person()));
  stack.model.next(scenario);
  await turn.send(body);
  expect((await turn.read()).body.state).toBe('failed');
  return turn;
}

/** How often the model was asked while `work` ran. */
async function calls(work: () => Promise<unknown>): Promise<number> {
  const before = stack.model.requests.length;
  await work();
  return stack.model.requests.length - before;
}

describe('a turn that failed', () => {
  test.each<[string, Scenario]>([
    ['before the model said anything', REJECTED],
    ['in mid-stream', { ...ANSWER, errorAt: 3, error: { type: 'invalid_request_error' } }],
    ['after the stream', { ...ANSWER, finishReason: 'content_filter' }],
  ])('%s runs again in the background, with one model call and one debit', async (_, scenario) => {
    const turn = await failedTurn(scenario);
    expect(await turn.books()).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
    stack.model.next(ANSWER);
    expect(
      await calls(async () => {
        const { status, body, headers } = await replay(turn);
        expect(status).toBe(202);
        expect(body).toMatchObject({
          turnId: turn.turnId,
          state: 'accepted',
          userId: turn.person.userId,
          replayedAt: expect.any(String),
        });
        expect(headers.get('location')).toBe(`/api/admin/turns/${turn.turnId}`);
        expect(await turn.ended()).toBe('COMPLETED');
      }),
    ).toBe(1);
    expect(await turn.books()).toEqual({ debits: 1, debited: 26, liveHolds: 0 });
    expect((await turn.read()).body).toMatchObject({ state: 'completed', content: '다시 한 답변', attempt: 2 });
    const { taskQueue, searchAttributes } = await turn.handle().describe();
    expect([taskQueue, searchAttributes['Replayed']]).toEqual([`${stack.taskQueuePrefix}background`, [true]]);
  });

  test('shows its reader restarted {replay} and then the whole answer', async () => {
    const turn = await failedTurn({ ...ANSWER, errorAt: 3, error: { type: 'invalid_request_error' } });
    const before = await readEvents(await turn.follow());
    const last = before.filter(({ event }) => event !== 'failed').at(-1);
    stack.model.next(ANSWER);
    await replay(turn);
    const events = await readEvents(await turn.follow());
    expect(events.map(({ event }) => event).slice(0, 2)).toEqual(['accepted', 'restarted']);
    expect(events[1]?.data).toEqual({ attempt: 2, reason: 'replay' });
    expect(textOf(events)).toBe('다시 한 답변');
    // A page that resumes after its last event is also told to drop that text.
    const back = await readEvents(
      await turn.person.raw('GET', `/api/chat/turns/${turn.turnId}/events`, undefined, {
        'last-event-id': last?.id ?? '',
      }),
    );
    expect([back[0]?.event, back.at(-1)?.event]).toEqual(['restarted', 'completed']);
    expect(textOf(back, textOf(before))).toBe('다시 한 답변');
  });

  test('says in its timeline that it was replayed, and the audit log says by whom, why, and from what', async () => {
    const turn = await failedTurn();
    const { headers } = await replay(turn, { reason: ' 장애 복구 ' });
    await turn.ended();
    const { body } = await admin.call('GET', `/api/admin/turns/${turn.turnId}`);
    expect(body.timeline.map(({ step }: { step: string }) => step)).toEqual([
      'accepted',
      'held',
      'attempt_started',
      'attempt_ended',
      'released',
      'replayed',
      'held',
      'attempt_started',
      'attempt_ended',
      'settled',
      'ended',
    ]);
    expect(body.workflow.runs).toHaveLength(2);
    expect((await admin.call('GET', `/api/admin/audit?target=turn:${turn.turnId}`)).body.items).toMatchObject([
      {
        adminId: admin.userId,
        action: 'turn.replay',
        reason: '장애 복구',
        before: { state: 'failed', code: 'model_rejected' },
        after: { state: 'accepted' },
        requestId: headers.get('x-request-id'),
      },
    ]);
    expect(
      (await admin.call('GET', `/api/admin/turns?replayed=true&userId=${turn.person.userId}`)).body.items,
    ).toHaveLength(1);
  });

  test('and whose tokens are used up stays failed with TOKEN_EXHAUSTED, and runs after a purchase', async () => {
    const turn = await failedTurn();
    await turn.person.call('POST', '/api/ai-usage/test-usage', { userId: turn.person.userId, usagePercent: 105 });
    expect(
      await calls(async () => {
        expect((await replay(turn)).status).toBe(202);
        expect(await turn.ended()).toBe('FAILED');
      }),
    ).toBe(0);
    expect((await turn.read()).body).toMatchObject({
      state: 'failed',
      error: { code: 'TOKEN_EXHAUSTED', retryable: true },
    });
    await grantTokens(stack.db.database, {
      userId: turn.person.userId,
      tokens: 50_000,
      reason: 'purchase',
      key: turn.turnId,
    });
    // The replay comes at once, while the last run is still about to close.
    expect(
      await calls(async () => {
        expect((await replay(turn)).status).toBe(202);
        expect(await turn.ended()).toBe('COMPLETED');
      }),
    ).toBe(1);
    expect((await turn.books()).debits).toBe(1);
  });

  test('twice at once is one run: one 202, one 409, one model call, one debit', async () => {
    const turn = await failedTurn();
    expect(
      await calls(async () => {
        const answers = await Promise.all([replay(turn), replay(turn), replay(turn)]);
        expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
        expect(answers.filter(({ status }) => status === 409).map(({ body }) => body.code)).toEqual([
          'turn_not_failed',
          'turn_not_failed',
        ]);
        await turn.ended();
      }),
    ).toBe(1);
    expect((await turn.books()).debits).toBe(1);
    expect((await admin.call('GET', `/api/admin/audit?target=turn:${turn.turnId}`)).body.items).toHaveLength(1);
  });

  test('of a conversation that went on answers in its own place, without what came later', async () => {
    const turn = await failedTurn({ ...REJECTED }, { message: '첫째 질문' });
    const {
      body: { conversationId },
    } = await turn.read();
    const later = new TestTurn(stack, turn.person, { message: '둘째 질문', conversationId });
    await later.send();
    stack.model.next(ANSWER);
    expect(
      await calls(async () => {
        await replay(turn);
        await turn.ended();
      }),
    ).toBe(1);
    expect(stack.model.requests.at(-1)?.body.messages.filter(({ role }) => role !== 'system')).toEqual([
      { role: 'user', content: '첫째 질문' },
    ]);
    const { body } = await turn.person.call('GET', `/api/conversations/${conversationId}/messages`);
    expect(body.items.map(({ turnId, role }: { turnId: string; role: string }) => [turnId, role])).toEqual([
      [turn.turnId, 'user'],
      [turn.turnId, 'assistant'],
      [later.turnId, 'user'],
      [later.turnId, 'assistant'],
    ]);
    expect([(await turn.books()).debits, (await later.books()).debits]).toEqual([1, 1]);
  });

  test('while another turn of its conversation runs is 409 conversation_busy, and runs afterwards', async () => {
    const turn = await failedTurn();
    const {
      body: { conversationId },
    } = await turn.read();
    const gate = new Gate('request');
    stack.model.next({ gate });
    const later = new TestTurn(stack, turn.person, { message: '다음', conversationId });
    await later.send({}, { prefer: 'respond-async' });
    await gate.reached;
    const busy = await replay(turn);
    expect([busy.status, busy.body.code, busy.headers.get('retry-after')]).toEqual([409, 'conversation_busy', '5']);
    expect((await turn.read()).body).toMatchObject({ state: 'failed', error: { code: 'model_rejected' } });
    gate.open();
    await later.ended();
    expect((await replay(turn)).status).toBe(202);
    expect(await turn.ended()).toBe('COMPLETED');
  });

  test('of a suspended person is 403 account_suspended, and nothing runs', async () => {
    const turn = await failedTurn();
    await admin.call('POST', `/api/admin/users/${turn.person.userId}/suspend`, { reason: 'r' });
    expect(await calls(async () => expect((await replay(turn)).body.code).toBe('account_suspended'))).toBe(0);
    expect((await turn.read()).body.error.code).toBe('model_rejected');
    expect((await admin.call('GET', `/api/admin/audit?target=turn:${turn.turnId}`)).body.items).toEqual([]);
  });
});

describe('no replay of', () => {
  test('a turn whose first run still lives: 409, and it goes on', async () => {
    const turn = new TestTurn(stack, await stack.person());
    const gate = new Gate(2);
    stack.model.next({ ...ANSWER, gate });
    expect(
      await calls(async () => {
        await turn.send({}, { prefer: 'respond-async' });
        await gate.reached;
        const { status, body } = await replay(turn);
        expect([status, body.code, body.state]).toEqual([409, 'turn_not_failed', 'running']);
        gate.open();
        expect(await turn.ended()).toBe('COMPLETED');
      }),
    ).toBe(1);
    expect((await turn.books()).debits).toBe(1);
  });

  test('a completed, stopped or refused turn: 409, no model call, nothing booked', async () => {
    const completed = new TestTurn(stack, await stack.person());
    await completed.send();
    const stopped = new TestTurn(stack, await stack.person());
    const gate = new Gate('request');
    stack.model.next({ gate });
    await stopped.send({}, { prefer: 'respond-async' });
    await gate.reached;
    await stopped.stop();
    await stopped.ended();
    gate.open();
    const refused = new TestTurn(stack, await stack.person());
    await refused.person.call('POST', '/api/ai-usage/test-usage', { userId: refused.person.userId, usagePercent: 105 });
    await refused.send();
    for (const [turn, state] of [
      [completed, 'completed'],
      [stopped, 'stopped'],
      [refused, 'refused'],
    ] as const) {
      const before = await turn.books();
      expect(
        await calls(async () => expect((await replay(turn)).body).toMatchObject({ code: 'turn_not_failed', state })),
      ).toBe(0);
      expect(await turn.books()).toEqual(before);
    }
  });

  test('an unknown turn: 404', async () => {
    expect((await replay({ turnId: randomUUID() })).status).toBe(404);
    expect((await replay({ turnId: 'x' })).status).toBe(404);
  });

  test.each<[string, unknown]>([
    ['no body', undefined],
    ['no reason', {}],
    ['a blank one', { reason: ' ' }],
    ['more than is asked', { reason: 'r', force: true }],
  ])('anything with %s: 400', async (_, body) => {
    const turn = await failedTurn();
    expect((await admin.call('POST', `/api/admin/turns/${turn.turnId}/replay`, body)).body.code).toBe(
      'invalid_request',
    );
    expect((await turn.read()).body.state).toBe('failed');
  });

  test('anything for anybody but an admin, their own turn included', async () => {
    const turn = await failedTurn();
    expect((await turn.person.call('POST', `/api/admin/turns/${turn.turnId}/replay`, { reason: 'r' })).body.code).toBe(
      'forbidden',
    );
  });
});

test('a retry that comes before the failed run has closed runs all the same', async () => {
  for (let round = 0; round < 5; round += 1) {
    const turn = new TestTurn(stack, await stack.person());
    stack.model.next(REJECTED);
    await turn.send();
    expect((await turn.retry()).status).toBe(200);
  }
});
