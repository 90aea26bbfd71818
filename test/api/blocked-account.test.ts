import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';

const KEPT = 5;
const SENDS = 12;
const LONG = '가'.repeat(8_000);

let stack: TestStack;
let person: Person;
let answered: TestTurn;
let ids: string[];
beforeAll(async () => {
  stack = await startTestStack();
  person = await stack.person();
  answered = new TestTurn(stack, person);
  await answered.send();
  await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
  ids = Array.from({ length: SENDS }, () => randomUUID());
  for (const turnId of ids) expect((await send({ turnId })).body).toEqual(REFUSAL);
});
afterAll(() => stack.close());

const REFUSAL = {
  code: 'TOKEN_EXHAUSTED',
  message: expect.any(String),
  remainingTokens: 0,
  recommendedAction: 'PURCHASE_TOKENS',
  purchaseUrl: expect.any(String),
  resetsAt: expect.any(String),
  requestId: expect.any(String),
};

function send(body: object, headers: Record<string, string> = {}) {
  return person.call('POST', '/api/chat/send', { message: LONG, ...body }, headers);
}

async function kept() {
  const { rows } = await sql`select (select count(*)::int from turns where user_id = ${person.userId}) as turns,
      (select count(*)::int from conversations where user_id = ${person.userId}) as conversations,
      (select coalesce(sum(count), 0)::int from refusals r join accounts a on a.id = r.account_id where a.user_id = ${person.userId}) as refusals`.execute(
    stack.db.database.sql,
  );
  return rows[0];
}

test('12 long questions of a blocked account leave five, and their number', async () => {
  expect(await kept()).toEqual({ turns: 1 + KEPT, conversations: 1 + KEPT, refusals: SENDS });
});

test('the door answers as ever: 402 however it is asked, 404 for what is not theirs, the stored answer for a known id', async () => {
  for (const headers of [{ accept: 'text/event-stream' }, { prefer: 'respond-async' }, {}] as Record<
    string,
    string
  >[]) {
    const { status, body, headers: told } = await send({}, headers);
    expect([status, body, told.get('content-type')]).toEqual([402, REFUSAL, expect.stringContaining('json')]);
  }
  expect((await send({ conversationId: randomUUID() })).status).toBe(404);
  expect((await answered.send()).body).toMatchObject({ state: 'completed', turnId: answered.turnId });
  expect((await answered.send({ message: 'another' })).status).toBe(409);
});

test('a kept refusal can be read, and one of the door is not bound: its id is not found, and runs after a grant', async () => {
  const first = ids[0] ?? '';
  const last = ids.at(-1) ?? '';
  expect((await person.call('GET', `/api/chat/turns/${first}`)).body).toMatchObject({ state: 'refused' });
  const events = await person.call('GET', `/api/chat/turns/${first}/events`);
  expect([events.status, events.body]).toEqual([402, REFUSAL]);
  expect((await person.call('GET', `/api/chat/turns/${last}`)).status).toBe(404);
  const admin = await stack.person('admin');
  const grant = { tokens: 50_000, reason: 'a gift' };
  await admin.call('POST', `/api/admin/users/${person.userId}/grants`, grant, { 'idempotency-key': 'gift' });
  expect((await send({ turnId: last, message: '이제요' })).body).toMatchObject({ state: 'completed', turnId: last });
  expect((await person.call('POST', `/api/chat/turns/${first}/retry`)).body).toMatchObject({ state: 'completed' });
});
