import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Gate } from '../fake-model/scenario.ts';
import { required, startTestStack, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';

let stack: TestStack;
let server: Client;
beforeAll(async () => {
  stack = await startTestStack();
  server = new Client({ connectionString: required('TEST_DATABASE_URL') });
  await server.connect();
});
afterEach(() => failOver('off'));
afterAll(async () => {
  await stack.close();
  await server.end();
});

/** As a failover does: connections are lost, and new ones meet a node that takes no writes, or the first one again. */
async function failOver(readOnly: 'on' | 'off'): Promise<void> {
  const name = new URL(stack.db.url).pathname.slice(1);
  await server.query(`alter database ${name} set default_transaction_read_only = ${readOnly}`);
  await server.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1', [name]);
}

test('on a node that takes no writes a send is 503 and no probe calls it ready; the same id runs when it does', async () => {
  const turn = new TestTurn(stack, await stack.person());
  await failOver('on');
  const said: number[] = [];
  for (let i = 0; i < 5; i += 1) said.push((await turn.send()).status);
  expect(said).toEqual([503, 503, 503, 503, 503]);
  expect((await turn.send()).body).toEqual({
    code: 'unavailable',
    message: expect.any(String),
    requestId: expect.any(String),
  });
  expect((await turn.person.call('GET', '/health/ready')).body).toMatchObject({
    code: 'unavailable',
    postgresql: 'down',
    temporal: 'ok',
  });
  await failOver('off');
  await until(async () => (await turn.send()).status === 200);
  expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
});

test('ten answers that end on a node that takes no writes are stored when it does: ten model calls, ten debits', async () => {
  const turns = await Promise.all(Array.from({ length: 10 }, async () => new TestTurn(stack, await stack.person())));
  const calls = stack.model.requests.length;
  const gates = turns.map(() => new Gate(3));
  for (const gate of gates) stack.model.next({ gate });
  const sending = turns.map((turn) => turn.send());
  await Promise.all(gates.map((gate) => gate.reached));
  await failOver('on');
  for (const gate of gates) gate.open();
  await until(() => stack.model.requests.slice(calls).filter(({ ended }) => ended).length === turns.length);
  // The node is asked, and refuses, after the model has said all.
  expect((await turns[0]?.person.call('GET', '/health/ready'))?.status).toBe(503);
  await failOver('off');
  for (const { status, body } of await Promise.all(sending)) expect([status, body.state]).toEqual([200, 'completed']);
  for (const turn of turns) expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
  expect(stack.model.requests).toHaveLength(calls + turns.length);
});
