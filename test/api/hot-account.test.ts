import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Gate } from '../fake-model/scenario.ts';
import { lockRows, type RowLock } from '../support/lock.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { TestTurn, type Books } from '../support/turn.ts';
import { until } from '../support/until.ts';

/** More than the connections of the pool. */
const SENDS = 30;
const LOCKED_FOR_MS = 20_000;

let stack: TestStack;
const QUESTION = '이십 초를 기다리는 답';
let paid: {
  readonly turn: TestTurn;
  readonly sending: ReturnType<TestTurn['send']>;
  /** As they were when the lock was let go. */
  readonly books: Promise<Books>;
};
beforeAll(async () => {
  stack = await startTestStack({ DATABASE_POOL_MAX: '20' });
  // An answer is finished and waits to be stored behind a lock, beside the other tests.
  const gate = new Gate('finish');
  stack.model.next({ chunks: ['다 ', '됐어요'], gate });
  const turn = new TestTurn(stack, await stack.person(), { message: QUESTION });
  const sending = turn.send();
  await gate.reached;
  const lock = await lockAccount(turn.person);
  gate.open();
  await until(() => lock.isWanted());
  const booksAtTheEnd = async () => {
    try {
      await sleep(LOCKED_FOR_MS);
      return await turn.books();
    } finally {
      await lock.release();
    }
  };
  paid = { turn, sending, books: booksAtTheEnd() };
});
afterAll(() => stack.close());

function lockAccount({ userId }: Person, strength?: 'update' | 'no key update'): Promise<RowLock> {
  return lockRows(stack.db.url, 'select 1 from accounts where user_id = $1', [userId], strength);
}

async function liveTurns({ userId }: Person): Promise<number> {
  const { rows } = await sql<{ live: number }>`select count(*)::int as live from turns
    where user_id = ${userId} and state in ('accepted', 'running')`.execute(stack.db.database.sql);
  return rows[0]?.live ?? -1;
}

/** Sends of other people, one after the other while a row is locked, and the probe. */
async function othersAnswerAsEver(lock: RowLock): Promise<void> {
  await until(() => lock.isWanted());
  for (let i = 0; i < 4; i += 1) {
    const other = new TestTurn(stack, await stack.person());
    expect(await other.send()).toMatchObject({ status: 200, body: { state: 'completed' } });
    expect((await other.person.call('GET', '/health/ready')).status).toBe(200);
  }
}

// The program's own kind of lock lets the turn's row be written, so its worker waits; the stronger one keeps the API.
test.each(['no key update', 'update'] as const)(
  'an account whose row is locked (for %s) and 30 sends of its owner: 503 with Retry-After to them, nobody else notices',
  async (strength) => {
    const owner = await stack.person();
    const lock = await lockAccount(owner, strength);
    const sends = Array.from({ length: SENDS }, () => new TestTurn(stack, owner));
    const answers = Promise.all(sends.map((turn) => turn.send()));
    await othersAnswerAsEver(lock);
    let bound = 0;
    for (const { status, headers, body } of await answers) {
      expect([status, body.code]).toEqual([503, 'unavailable']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      if (body.bound === true) bound += 1;
    }
    // They were told while the row was still locked, and nothing of them is left that could run later: but for those
    // whose start was unclear on a slow machine, which say so.
    expect(await liveTurns(owner)).toBeLessThanOrEqual(bound);
    await lock.release();
    await until(async () => (await liveTurns(owner)) === 0);
    expect((await sends[0]?.send({ message: '다시' }))?.body).toMatchObject({ state: 'completed' });
  },
);

test('what a person or an admin asks of a locked account is 503 with Retry-After, and done once it is free', async () => {
  const [owner, admin] = await Promise.all([stack.person(), stack.person('admin')]);
  stack.model.next({ status: 400 });
  const failed = new TestTurn(stack, owner);
  expect((await failed.send()).status).toBe(502);
  const gift = { tokens: 5, reason: 'a gift' };
  const write = (path: string, body: object, key = '') =>
    admin.call('POST', `/api/admin/${path}`, body, key === '' ? {} : { 'idempotency-key': key });
  const asks = {
    retry: () => failed.retry(),
    grant: () => write(`users/${owner.userId}/grants`, gift, 'gift'),
    suspend: () => write(`users/${owner.userId}/suspend`, { reason: 'a test' }),
    resume: () => write(`users/${owner.userId}/resume`, { reason: 'a test' }),
    replay: () => write(`turns/${failed.turnId}/replay`, { reason: 'a test' }),
    zone: () => owner.call('PATCH', '/api/me', { timeZone: 'UTC' }),
  };
  const lock = await lockAccount(owner);
  const many = Array.from({ length: SENDS }, (_, i) => write(`users/${owner.userId}/grants`, gift, `many-${i}`));
  const answers = Promise.all([...Object.values(asks).map((ask) => ask()), ...many]);
  await othersAnswerAsEver(lock);
  for (const { status, headers, body } of await answers) {
    expect([status, body.code]).toEqual([503, 'unavailable']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  await lock.release();
  expect((await asks.grant()).status).toBe(201);
  expect((await asks.zone()).status).toBe(200);
  expect((await asks.retry()).body).toMatchObject({ state: 'completed' });
});

test('a lock held for 20 s over a finished answer: one model call, one debit, and its person has it', async () => {
  expect(await paid.books).toMatchObject({ debits: 0, liveHolds: 1 });
  expect((await paid.sending).body).toMatchObject({ state: 'completed', content: '다 됐어요' });
  expect(await paid.turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
  expect(stack.model.requests.filter((request) => JSON.stringify(request).includes(QUESTION))).toHaveLength(1);
});
