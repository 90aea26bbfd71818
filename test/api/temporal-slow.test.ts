import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openGrpcDoor, type GrpcDoor } from '../support/grpc-door.ts';
import { required, startTestStack, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';

/** A Temporal that answers, and has more to do than it can: a server that is away is in outages.test.ts. */
let stack: TestStack;
let temporal: GrpcDoor;
beforeAll(async () => {
  temporal = await openGrpcDoor(required('TEST_TEMPORAL_ADDRESS'));
  stack = await startTestStack({ TEMPORAL_ADDRESS: temporal.address });
});
afterAll(async () => {
  await stack?.close();
  await temporal?.close();
});

const START = 'StartWorkflowExecution';

test('a start that it takes seconds over is waited for; after ten the send is 503 overloaded, and nothing of it runs later', async () => {
  const [slow, tooSlow, door] = [
    new TestTurn(stack, await stack.person()),
    new TestTurn(stack, await stack.person()),
    await stack.person(),
  ];
  const calls = stack.model.requests.length;
  const starts = temporal.hold(START);
  const began = performance.now();
  const sent = slow.send();
  await until(() => starts.kept() === 1);
  // A server that is away would have been told by now.
  await until(() => performance.now() - began > 3_000);
  starts.release();
  expect((await sent).body).toMatchObject({ state: 'completed' });

  const later = temporal.hold(START);
  const asked = { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'x' }] };
  const [refused, atDoor] = await Promise.all([tooSlow.send(), door.raw('POST', '/v1/chat/completions', asked)]);
  expect([refused.status, refused.body.code, 'bound' in refused.body]).toEqual([503, 'overloaded', false]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect([atDoor.status, await atDoor.json()]).toMatchObject([503, { error: { code: 'overloaded' } }]);
  expect((await tooSlow.read()).body.state).toBe('refused');
  later.release();
  await tooSlow.ended();
  expect((await tooSlow.read()).body.state).toBe('refused');
  expect(stack.model.requests).toHaveLength(calls + 1);
  // Nothing is bound: another question may come under the same id.
  expect((await tooSlow.send({ message: '다른 질문' })).body).toMatchObject({ state: 'completed' });
  expect(await tooSlow.books()).toMatchObject({ debits: 1, liveHolds: 0 });
}, 60_000);

test('a start that it has no room for is 503 overloaded as well, and binds nothing', async () => {
  const turn = new TestTurn(stack, await stack.person());
  const starts = temporal.refuse(START, 8);
  const { status, body } = await turn.send();
  expect([status, body.code, 'bound' in body]).toEqual([503, 'overloaded', false]);
  starts.allow();
  expect((await turn.send({ message: '다른 질문' })).body).toMatchObject({ state: 'completed' });
  expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
}, 60_000);
