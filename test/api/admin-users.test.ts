import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Gate } from '../fake-model/scenario.ts';
import { grantTokens } from '../../db/money/grants.ts';
import { createUser } from '../../db/people/users.ts';
import { readEvents, textOf } from '../support/events.ts';
import { personAtUrl, startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';

let stack: TestStack;
let admin: Person;
beforeAll(async () => {
  stack = await startTestStack();
  admin = await stack.person('admin');
});
afterAll(() => stack.close());

const suspend = ({ userId }: Person, reason = '스팸') =>
  admin.call('POST', `/api/admin/users/${userId}/suspend`, { reason });
const resume = ({ userId }: Person) => admin.call('POST', `/api/admin/users/${userId}/resume`, { reason: '오해였음' });

describe('suspending', () => {
  test('stops the running turn, which is charged for what has come, and its reader is told', async () => {
    const person = await stack.person();
    const turn = new TestTurn(stack, person);
    const gate = new Gate(3);
    stack.model.next({ chunks: ['하나', ' 둘', ' 셋'], gate });
    await turn.send({}, { prefer: 'respond-async' });
    const reader = await turn.follow();
    await gate.reached;
    const answer = await suspend(person);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      userId: person.userId,
      suspendedAt: expect.any(String),
      stopping: [turn.turnId],
    });
    const events = await readEvents(reader);
    gate.open();
    expect(events.at(-1)).toMatchObject({
      event: 'stopped',
      data: { turn: { state: 'stopped', content: '하나 둘', usage: { estimated: true } } },
    });
    expect(textOf(events)).toBe('하나 둘');
    const { debits, debited, liveHolds } = await turn.books();
    expect([debits, liveHolds]).toEqual([1, 0]);
    expect(debited).toBe(events.at(-1)?.data.turn.usage.debitedTokens);
  });

  test('refuses sends and retries with 403 account_suspended, without a model call; reading stays; resuming ends it', async () => {
    const person = await stack.person();
    const turn = new TestTurn(stack, person);
    stack.model.next({ status: 400 });
    await turn.send();
    const done = new TestTurn(stack, person);
    const {
      body: { conversationId },
    } = await done.send();
    await suspend(person);
    const calls = stack.model.requests.length;
    for (const refused of [
      await new TestTurn(stack, person).send(),
      await turn.retry(),
      await turn.send(),
      await done.send({}, { accept: 'text/event-stream' }),
    ]) {
      expect([refused.status, refused.body.code]).toEqual([403, 'account_suspended']);
      expect(refused.headers.get('retry-after')).toBeNull();
    }
    expect(
      (await person.call('POST', '/api/chat/send', { message: 'a' }, { 'accept-language': 'en' })).body.message,
    ).toBe('This account is suspended; please contact support.');
    expect(stack.model.requests).toHaveLength(calls);
    for (const path of [
      `/api/chat/turns/${done.turnId}`,
      `/api/conversations/${conversationId}/messages`,
      '/api/ai-usage',
      '/api/me',
      '/api/conversations',
      '/api/models',
    ]) {
      expect((await person.call('GET', path)).status).toBe(200);
    }
    expect((await readEvents(await done.follow())).at(-1)?.event).toBe('completed');
    expect((await resume(person)).body).toMatchObject({ suspendedAt: null });
    expect((await turn.retry()).status).toBe(200);
  });

  test('of a turn that waits for its hold answers its send 403, for streams as well, and binds nothing', async () => {
    const idle = await startTestStack({}, { works: false });
    try {
      const person = await idle.person();
      const turn = new TestTurn(idle, person);
      const sending = turn.send({}, { accept: 'text/event-stream' });
      await until(async () => (await turn.read()).status === 200);
      const otherAdmin = await idle.person('admin');
      expect(
        (await otherAdmin.call('POST', `/api/admin/users/${person.userId}/suspend`, { reason: 'r' })).body.stopping,
      ).toEqual([]);
      await idle.startWorker();
      const { status, body } = await sending;
      expect([status, body.code]).toEqual([403, 'account_suspended']);
      expect((await turn.read()).body).toMatchObject({ state: 'refused', error: { code: 'account_suspended' } });
      expect((await turn.follow()).status).toBe(403);
      await otherAdmin.call('POST', `/api/admin/users/${person.userId}/resume`, { reason: 'r' });
      expect((await turn.send({ message: 'another body' })).body).toMatchObject({ state: 'completed' });
    } finally {
      await idle.close();
    }
  });

  test('is audited with who, why, before and after', async () => {
    const person = await stack.person();
    const { headers } = await suspend(person, '광고');
    await resume(person);
    const { body } = await admin.call('GET', `/api/admin/audit?target=user:${person.userId}`);
    expect(body.items).toMatchObject([
      { action: 'user.resume', adminId: admin.userId, before: { suspended: true }, after: { suspended: false } },
      {
        action: 'user.suspend',
        adminId: admin.userId,
        reason: '광고',
        before: { suspended: false },
        after: { suspended: true, stoppedTurns: 0 },
        requestId: headers.get('x-request-id'),
      },
    ]);
  });

  test.each<[string, unknown, number, string]>([
    ['/api/admin/users/999999/suspend', { reason: 'r' }, 404, 'not_found'],
    ['/api/admin/users/0/suspend', { reason: 'r' }, 404, 'not_found'],
    ['/api/admin/users/x/resume', { reason: 'r' }, 404, 'not_found'],
    ['/api/admin/users/1e30/suspend', { reason: 'r' }, 404, 'not_found'],
    ['/api/admin/users/1/suspend', {}, 400, 'invalid_request'],
    ['/api/admin/users/1/suspend', { reason: '  ' }, 400, 'invalid_request'],
    ['/api/admin/users/1/resume', { reason: 'x'.repeat(501) }, 400, 'invalid_request'],
    ['/api/admin/users/1/suspend', { reason: 'r', until: 'tomorrow' }, 400, 'invalid_request'],
  ])('POST %s with %j is %i %s', async (path, body, status, code) => {
    const answer = await admin.call('POST', path, body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('is not for everybody', async () => {
    const person = await stack.person();
    for (const [method, path] of [
      ['POST', `/api/admin/users/${person.userId}/suspend`],
      ['GET', '/api/admin/users'],
      ['GET', `/api/admin/users/${person.userId}`],
    ] as const) {
      expect((await person.call(method, path, method === 'POST' ? { reason: 'r' } : undefined)).body.code).toBe(
        'forbidden',
      );
    }
  });
});

describe('people', () => {
  test('are found by e-mail or id', async () => {
    const { userId } = await createUser(stack.db.database, { email: 'Minji@people.example', role: 'user' });
    const byEmail = await admin.call('GET', '/api/admin/users?email=minji@');
    expect(byEmail.body).toEqual({
      items: [
        {
          userId,
          email: 'minji@people.example',
          emailLookAlikes: [],
          issuer: null,
          subject: null,
          role: 'user',
          locale: 'ko',
          timeZone: 'Asia/Seoul',
          suspendedAt: null,
          createdAt: expect.any(String),
          name: null,
          lastSeenAt: null,
          usedTokens: 0,
          usagePercent: 0,
          level: 'NORMAL',
        },
      ],
      nextCursor: null,
    });
    expect((await admin.call('GET', `/api/admin/users?userId=${userId}`)).body.items).toEqual(byEmail.body.items);
    // The last letter of the name is Ukrainian.
    const { userId: other } = await createUser(stack.db.database, {
      email: 'minj\u{456}@people.example',
      role: 'user',
    });
    expect((await admin.call('GET', `/api/admin/users/${other}`)).body.emailLookAlikes).toEqual(['\u{456} U+0456']);
  });

  test('have a detail with usage, live holds and ledger pages', async () => {
    const { userId, token } = await createUser(stack.db.database, { email: null, role: 'user' });
    const person = personAtUrl(stack.url, userId, token);
    await grantTokens(stack.db.database, { userId, tokens: 5_000, reason: '보상', key: 'k' });
    stack.model.next({ chunks: ['가'], usage: { prompt_tokens: 20, completion_tokens: 5 } });
    await new TestTurn(stack, person).send();
    const gate = new Gate('request');
    stack.model.next({ gate });
    const running = new TestTurn(stack, person);
    await running.send({}, { prefer: 'respond-async' });
    await gate.reached;
    await until(async () => (await admin.call('GET', `/api/admin/users/${userId}`)).body.schedules.length > 0);
    const { status, body } = await admin.call('GET', `/api/admin/users/${userId}?limit=1`);
    expect(body.schedules).toEqual([
      {
        kind: 'reset',
        timing: 'monthly on day 1 at 04:05 Asia/Seoul',
        nextAt: expect.stringMatching(/-01T|-30T|-31T|-28T|-29T/),
      },
    ]);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      userId,
      usage: { usedTokens: 25, purchasedTokens: 4_975, level: 'NORMAL' },
      holds: [{ turnId: running.turnId, tokens: body.usage.heldTokens }],
    });
    expect(body.ledger.items).toMatchObject([{ kind: 'debit', tokens: 25, purchasedDelta: -25, allowanceDelta: 0 }]);
    const next = await admin.call('GET', `/api/admin/users/${userId}?limit=1&cursor=${body.ledger.nextCursor}`);
    expect(next.body.ledger).toMatchObject({
      items: [{ kind: 'grant', tokens: 5_000, reason: '보상', purchasedDelta: 5_000 }],
      nextCursor: null,
    });
    gate.open();
    await running.ended();
  });

  test.each([
    ['users?email=', 400],
    ['users?limit=0', 400],
    ['users?cursor=x', 400],
    ['users?userId=0', 400],
    ['users?suspended=1', 400],
    ['users?name=x', 400],
    ['users/999999', 404],
    ['users/1?cursor=x', 400],
  ])('GET /api/admin/%s is %i', async (path, status) => {
    expect((await admin.call('GET', `/api/admin/${path}`)).status).toBe(status);
  });
});
