import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Gate, type Scenario } from '../fake-model/scenario.ts';
import { readEvents, textOf, type SeenEvent } from '../support/events.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import type { TestTurn } from '../support/turn.ts';
import { ANSWER, answered, modelCalls, newTurn } from '../workflow/stage.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ MODEL_FIRST_BYTE_SECONDS: '2', MODEL_SILENCE_SECONDS: '2' });
  stack.model.always(ANSWER);
  for (const [what, , , scenario] of FAILURES) {
    runs.set(what, given(scenario));
    runs.get(what)?.catch(() => {});
  }
});
afterAll(() => stack.close());

const ATTEMPTS = 4;

/**
 * Failures that a model may repeat until the turn gives up. Where the provider names no time to wait, the next attempt
 * comes after one, two and four seconds.
 */
const FAILURES: readonly (readonly [what: string, status: number, code: string, scenario: Scenario])[] = [
  [
    'refuses with 429',
    502,
    'model_rate_limited',
    {
      status: 429,
      headers: { 'retry-after-ms': '1' },
      error: { code: 'rate_limit_exceeded', message: 'slow down, sk-secret-of-the-test' },
    },
  ],
  ['drops the connection in mid-answer', 502, 'model_unavailable', { ...ANSWER, dropAt: 3 }],
  ['says nothing at all', 504, 'model_timeout', { ...ANSWER, gate: new Gate('request') }],
  ['falls silent in mid-answer', 504, 'model_timeout', { ...ANSWER, gate: new Gate(3) }],
];

/** One turn sent for JSON and one for a stream, to their ends. All failures run at once, because they mostly wait. */
interface Run {
  readonly plain: TestTurn;
  readonly streamed: TestTurn;
  readonly sent: Awaited<ReturnType<TestTurn['send']>>;
  readonly events: readonly SeenEvent[];
}
const runs = new Map<string, Promise<Run>>();

async function given(scenario: Scenario): Promise<Run> {
  const [plain, streamed] = await Promise.all([prepared(scenario), prepared(scenario)]);
  const [sent, events] = await Promise.all([
    plain.send(),
    streamed.person
      .raw(
        'POST',
        '/api/chat/send',
        { turnId: streamed.turnId, message: streamed.message },
        { accept: 'text/event-stream' },
      )
      .then((response) => readEvents(response)),
  ]);
  return { plain, streamed, sent, events };
}

test.each(FAILURES)(
  'a model that %s four times: %d %s, or the event of it; nothing debited, the hold released, the turn may be run again',
  async (what, status, code) => {
    const run = await runs.get(what);
    if (run === undefined) throw new Error('every failure was begun');
    const { plain, streamed, sent, events } = run;
    expect([sent.status, sent.body.code, sent.body.turnId, sent.body.retryable]).toEqual([
      status,
      code,
      plain.turnId,
      true,
    ]);
    expect(events[0]?.event).toBe('accepted');
    expect(events.filter(({ event }) => event === 'completed' || event === 'stopped')).toEqual([]);
    expect(events.at(-1)).toMatchObject({
      event: 'failed',
      data: { turn: { turnId: streamed.turnId, state: 'failed', error: { code, retryable: true } } },
    });
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
  },
);

test.each(['', 'null'])(
  'a model that writes %j as its finish reason and is lost after 3 of 12 pieces is asked once more; the whole answer is debited, once',
  async (word) => {
    const turn = newTurn(stack, await stack.person());
    const whole = { chunks: { count: 12, text: '조각 ' } };
    const gate = new Gate(4);
    stack.model.nextFor(
      turn.message,
      { ...whole, finishReasons: { 0: word, 1: word, 2: word, 3: word }, gate, dropAt: 4 },
      whole,
    );
    const sending = turn.send();
    await gate.reached;
    await readEvents(await turn.follow(), (seen) => textOf(seen) === '조각 '.repeat(3));
    gate.open();
    const { status, body } = await sending;
    expect([status, body.state, body.attempt, body.content]).toEqual([200, 'completed', 2, '조각 '.repeat(12)]);
    expect(modelCalls(turn)).toBe(2);
    expect(await turn.books()).toEqual({ debits: 1, debited: body.usage.debitedTokens, liveHolds: 0 });
  },
);

/** A person whose schedules are armed, and a turn of theirs for which every model call fails. */
async function prepared(scenario: Scenario) {
  const person = await stack.person();
  await answered(stack, person);
  const turn = newTurn(stack, person);
  stack.model.nextFor(turn.message, ...Array.from({ length: ATTEMPTS }, () => scenario));
  return turn;
}
