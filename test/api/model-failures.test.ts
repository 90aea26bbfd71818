import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Scenario } from '../fake-model/scenario.ts';
import { readEvents } from '../support/events.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { ANSWER, answered, modelCalls, newTurn } from '../workflow/stage.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
  stack.model.always(ANSWER);
});
afterAll(() => stack.close());

const ATTEMPTS = 4;

/** What a model may go on doing until a turn gives up. Dropped connections are tried again after one, two and four seconds. */
const FAILURES: readonly (readonly [what: string, code: string, scenario: Scenario])[] = [
  ['refuses with 429', 'model_rate_limited', { status: 429, headers: { 'retry-after-ms': '1' }, error: { code: 'rate_limit_exceeded', message: 'slow down, sk-secret-of-the-test' } }],
  ['drops the connection in mid-answer', 'model_unavailable', { ...ANSWER, dropAt: 3 }],
];

test.each(FAILURES)('a model that %s four times: 502 %s, or the event of it; nothing debited, the hold released, the turn may be run again', async (_, code, scenario) => {
  const [plain, streamed] = await Promise.all([prepared(scenario), prepared(scenario)]);
  const [sent, events] = await Promise.all([
    plain.send(),
    streamed.person.raw('POST', '/api/chat/send', { turnId: streamed.turnId, message: streamed.message }, { accept: 'text/event-stream' }).then((response) => readEvents(response)),
  ]);
  expect([sent.status, sent.body.code, sent.body.turnId, sent.body.retryable]).toEqual([502, code, plain.turnId, true]);
  expect(events[0]?.event).toBe('accepted');
  expect(events.filter(({ event }) => event === 'completed' || event === 'stopped')).toEqual([]);
  expect(events.at(-1)).toMatchObject({ event: 'failed', data: { turn: { turnId: streamed.turnId, state: 'failed', error: { code, retryable: true } } } });
  expect(JSON.stringify([sent.body, events])).not.toContain('slow down');
  for (const turn of [plain, streamed]) {
    expect(await turn.ended()).toBe('FAILED');
    const { body } = await turn.read();
    expect(body).toMatchObject({ state: 'failed', error: { code } });
    expect(body).not.toHaveProperty('content');
    expect(await turn.books()).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
    expect(modelCalls(turn)).toBe(ATTEMPTS);
    expect((await turn.events()).length).toBeLessThanOrEqual(15);
  }
  expect((await plain.retry()).body).toMatchObject({ state: 'completed', content: ANSWER.chunks.join('') });
  expect(await plain.books()).toMatchObject({ debits: 1, liveHolds: 0 });
}, 60_000);

/** A person whose schedules are armed, and a turn of theirs for which the model fails as often as it is tried. */
async function prepared(scenario: Scenario) {
  const person = await stack.person();
  await answered(stack, person);
  const turn = newTurn(stack, person);
  stack.model.nextFor(turn.message, ...Array.from({ length: ATTEMPTS }, () => scenario));
  return turn;
}
