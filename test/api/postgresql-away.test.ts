import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Gate } from '../fake-model/scenario.ts';
import { openProxy, type Proxy } from '../support/proxy.ts';
import { required, startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';

/** Short, so that a hanging statement is seen to be given up, but far longer than the server takes to answer. */
const ANSWER_WITHIN_MS = 2_000;

let stack: TestStack;
let postgresql: Proxy;
beforeAll(async () => {
  postgresql = await openProxy(required('TEST_DATABASE_URL'));
  stack = await startTestStack({}, { postgresql: { by: postgresql, answerWithinMs: ANSWER_WITHIN_MS } });
});
afterEach(() => postgresql.heal());
afterAll(async () => {
  await stack.close();
  await postgresql.close();
});

const AWAY = {
  'refusing connections': () => postgresql.cut(),
  'swallowing what it is sent': async () => postgresql.stall(),
  'swallowing what it answers': async () => postgresql.stall('answers'),
} satisfies Record<string, () => Promise<void>>;

test.each(Object.entries(AWAY))(
  'PostgreSQL %s: 503 with Retry-After in the flat shape, nothing half done; the same id runs when it is back',
  async (_, goAway) => {
    const turn = new TestTurn(stack, await stack.person());
    const calls = stack.model.requests.length;
    await goAway();
    const [sent, read, ready] = await Promise.all([turn.send(), turn.read(), turn.person.call('GET', '/health/ready')]);
    for (const { status, body, headers } of [sent, read]) {
      expect([status, Number(headers.get('retry-after'))]).toEqual([503, 2]);
      expect(body).toEqual({ code: 'unavailable', message: expect.any(String), requestId: expect.any(String) });
    }
    expect([ready.status, ready.body.code, ready.body.postgresql, ready.body.temporal]).toEqual([
      503,
      'unavailable',
      'down',
      'ok',
    ]);
    expect((await turn.person.call('GET', '/health')).status).toBe(200);
    expect(await rowsOf(turn.person)).toEqual({ turns: 0, conversations: 0, holds: 0 });
    await postgresql.heal();
    await until(async () => (await turn.person.call('GET', '/health/ready')).status === 200);
    // The next request may get a connection that was given up: that is a 503 too, and no other status.
    const statuses: number[] = [];
    await until(async () => statuses.push((await turn.send()).status) > 0 && statuses.at(-1) === 200);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect((await turn.read()).body).toMatchObject({ state: 'completed' });
    expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
    expect(stack.model.requests).toHaveLength(calls + 1);
  },
);

test.each(Object.entries(AWAY))(
  'PostgreSQL %s in mid-answer: whoever waits gets the answer when it is back; one model call, one debit',
  async (how, goAway) => {
    const turn = new TestTurn(stack, await stack.person());
    const calls = stack.model.requests.length;
    const gate = new Gate(3);
    stack.model.next({ gate });
    const sending = turn.send();
    await gate.reached;
    await goAway();
    gate.open();
    // The model's answer is complete and could not be stored, or was and nobody heard so. A look at the turn that
    // begins after that fails.
    await until(() => stack.model.requests[calls]?.ended === true);
    expect((await turn.read()).status).toBe(503);
    expect(await storedAnswers(turn)).toBe(how === 'swallowing what it answers' ? 1 : 0);
    await postgresql.heal();
    const { status, body } = await sending;
    expect([status, body.state, body.content]).toEqual([200, 'completed', '안녕하세요. 무엇을 도와드릴까요?']);
    expect(await turn.ended()).toBe('COMPLETED');
    expect(await turn.books()).toEqual({ debits: 1, debited: body.usage.debitedTokens, liveHolds: 0 });
    expect(stack.model.requests).toHaveLength(calls + 1);
  },
);

/** Asks the server itself, without the proxy. */
async function beside<Row>(text: string, values: readonly unknown[]): Promise<Row> {
  const client = new Client({ connectionString: stack.db.url });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows[0] as Row;
  } finally {
    await client.end();
  }
}

function rowsOf({ userId }: Person) {
  return beside(
    `select (select count(*)::int from turns where user_id = $1) as turns, (select count(*)::int from conversations where user_id = $1) as conversations,
    (select count(*)::int from holds h join turns t on t.id = h.turn_id where t.user_id = $1) as holds`,
    [userId],
  );
}

async function storedAnswers({ turnId }: TestTurn): Promise<number> {
  return (
    await beside<{ n: number }>('select count(*)::int as n from turns where id = $1 and answer_attempt is not null', [
      turnId,
    ])
  ).n;
}
