import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { RunningWorker } from '../../worker/main.ts';
import { Gate } from '../fake-model/scenario.ts';
import { readEvents, textOf, type SeenEvent } from '../support/events.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import type { Books, ResetPoint, TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';
import {
  ANSWER,
  answered,
  batchDone,
  failed,
  listed,
  modelCalls,
  pointOf,
  refused,
  running,
  setUsage,
  stopped,
  temporalCli,
} from './stage.ts';

let stack: TestStack;

let worker: RunningWorker;

beforeAll(async () => {
  stack = await startTestStack({}, { works: false });
  worker = await stack.startWorker();
  stack.model.always(ANSWER);
});
afterAll(() => stack.close());

/** What a turn is and has cost in total when the reset run has ended. */
interface Outcome {
  readonly workflow: 'COMPLETED' | 'FAILED';
  readonly state: string;
  readonly debits: number;
  readonly modelCalls: number;
}

const OVER = { workflow: 'COMPLETED', state: 'completed', debits: 1, modelCalls: 1 } as const;

/** The third column of "sending again" (policy 7), by the workflow task to which the turn is reset. */
const TURNS: Record<string, { make(person: Person): Promise<TestTurn>; first: Outcome; later: Outcome }> = {
  'an answered turn': { make: (person) => answered(stack, person), first: OVER, later: OVER },
  'a turn stopped after its first delta': {
    make: (person) => stopped(stack, person, 3),
    first: { ...OVER, state: 'stopped' },
    later: { ...OVER, state: 'stopped' },
  },
  'a turn stopped before its first delta': {
    make: (person) => stopped(stack, person, 'request'),
    first: { ...OVER, state: 'stopped', debits: 0 },
    later: { ...OVER, state: 'stopped', debits: 0 },
  },
  // After its first task, the history has the failure of its model call, so the turn fails again. Reset to before that,
  // it runs again.
  'a failed turn': {
    make: (person) => failed(stack, person),
    first: { ...OVER, modelCalls: 2 },
    later: { workflow: 'FAILED', state: 'failed', debits: 0, modelCalls: 1 },
  },
  // This turn has only one task.
  'a refused turn for which there is room now': { make: (person) => refused(stack, person), first: OVER, later: OVER },
  // A fenced restart: the earlier attempt still streams, and its text is dropped.
  'a running turn': {
    make: async (person) => {
      const { turn, gate } = await running(stack, person, 3);
      late.set(turn, gate);
      return turn;
    },
    first: { ...OVER, modelCalls: 2 },
    later: { ...OVER, modelCalls: 2 },
  },
};

/** Model calls of runs that were reset; they are still held. */
const late = new Map<TestTurn, Gate>();
/** Every turn whose outcome was checked, with its state then. */
const seen = new Map<TestTurn, { body: object; books: Books }>();

const ONE = {
  "in the Temporal UI's way": async (turn: TestTurn, point: ResetPoint) => {
    await turn.reset(point);
  },
  'by `temporal workflow reset`': async (turn: TestTurn, { runId, eventId }: ResetPoint) => {
    await temporalCli(
      stack,
      'workflow',
      'reset',
      '--workflow-id',
      turn.workflowId,
      '--run-id',
      runId,
      '--event-id',
      String(eventId),
      '--reason',
      'test',
    );
  },
};

describe.each(Object.entries(ONE))('one reset %s', (_way, reset) => {
  test.each(Object.entries(TURNS))(
    'of %s, to its first and to every later workflow task',
    async (_title, { make, first, later }) => {
      // Each task gets a turn of its own: the number of tasks of a stop depends on what comes first, its message or
      // Temporal's cancel.
      for (let i = 0; ; i++) {
        const turn = await make(await stack.person());
        const before = await turn.read();
        const point = (await turn.resetPoints())[i];
        if (point === undefined) return expect(i).toBeGreaterThan(0);
        await reset(turn, point);
        await expectOutcome(turn, i === 0 ? first : later);
        const after = await turn.read();
        if (after.body.attempt === before.body.attempt && before.body.state !== 'refused')
          expect(after.body).toEqual(before.body);
      }
    },
  );
});

const BATCH = {
  "in the Temporal UI's way": async (query: string, which: 'first' | 'last') => {
    const jobId = randomUUID();
    await stack.temporal.connection.workflowService.startBatchOperation({
      namespace: stack.temporal.namespace,
      jobId,
      reason: 'test',
      visibilityQuery: query,
      resetOperation: {
        identity: 'test',
        options: which === 'first' ? { firstWorkflowTask: {} } : { lastWorkflowTask: {} },
      },
    });
    return jobId;
  },
  'by `temporal workflow reset --query`': async (query: string, which: 'first' | 'last') => {
    const type = which === 'first' ? 'FirstWorkflowTask' : 'LastWorkflowTask';
    const { batchJobId } = await temporalCli(
      stack,
      'workflow',
      'reset',
      '--query',
      query,
      '--type',
      type,
      '--reason',
      'test',
      '--yes',
    );
    return batchJobId as string;
  },
};

describe.each(Object.entries(BATCH))('a batch reset %s', (_way, reset) => {
  test.each(['first', 'last'] as const)('of turns in every state, to the %s workflow task', async (which) => {
    const person = await stack.person();
    const turns: { turn: TestTurn; outcome: Outcome }[] = [];
    for (const { make, first, later } of Object.values(TURNS)) {
      const turn = await make(person);
      const tasks = await turn.resetPoints();
      turns.push({ turn, outcome: which === 'first' || tasks.length === 1 ? first : later });
    }
    const query = `UserId = "${person.userId}" AND TaskQueue = "${stack.taskQueuePrefix}turns"`;
    await listed(stack, query, turns.length);
    await batchDone(stack, await reset(query, which), turns.length);
    for (const { turn, outcome } of turns) await expectOutcome(turn, outcome);
  });
});

describe('a reset', () => {
  test('of a running turn is seen by its reader as `restarted`, then the whole new answer', async () => {
    const { turn, gate } = await running(stack, await stack.person(), 3);
    let shown: readonly SeenEvent[] = [];
    const reading = readEvents(await turn.follow(), (events) => {
      shown = events;
      return false;
    });
    await until(() => textOf(shown) !== '');
    await turn.reset(await pointOf(turn, 'first'));
    const events = await reading;
    gate.open();
    expect(events.filter(({ event }) => event === 'restarted')).toHaveLength(1);
    expect(events.findIndex(({ event }) => event === 'restarted')).toBeGreaterThan(
      events.findIndex(({ event }) => event === 'delta'),
    );
    expect(textOf(events)).toBe(ANSWER.chunks.join(''));
    expect(events.at(-1)).toMatchObject({
      event: 'completed',
      data: { turn: { attempt: 2, content: ANSWER.chunks.join('') } },
    });
  });

  test('of a refused turn for which there is no room refuses it again, at no cost', async () => {
    const person = await stack.person();
    const turn = await refused(stack, person);
    await setUsage(person, 105);
    await turn.reset(await pointOf(turn, 'first'));
    await expectOutcome(turn, { workflow: 'COMPLETED', state: 'refused', debits: 0, modelCalls: 0 });
  });

  test('of a failed turn for which there is no room leaves it failed with TOKEN_EXHAUSTED, to be run after a purchase', async () => {
    const person = await stack.person();
    const turn = await failed(stack, person);
    await setUsage(person, 105);
    await turn.reset(await pointOf(turn, 'first'));
    await expectOutcome(turn, { workflow: 'FAILED', state: 'failed', debits: 0, modelCalls: 1 });
    expect((await turn.read()).body.error).toMatchObject({ code: 'TOKEN_EXHAUSTED', retryable: true });
    await setUsage(person, 0);
    expect((await turn.retry()).body).toMatchObject({ state: 'completed' });
    await expectOutcome(turn, { ...OVER, modelCalls: 2 });
  });

  test('of a failed turn while another runs in its conversation ends ConversationBusy and leaves both as they are', async () => {
    const person = await stack.person();
    const turn = await failed(stack, person);
    const {
      body: { conversationId },
    } = await turn.read();
    const other = await running(stack, person, 'request', { conversationId });
    await turn.reset(await pointOf(turn, 'first'));
    await expectOutcome(turn, { workflow: 'FAILED', state: 'failed', debits: 0, modelCalls: 1 });
    other.gate.open();
    expect(await other.turn.ended()).toBe('COMPLETED');
    expect(await other.turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
  });

  test.each<['first' | 'last', Outcome]>([
    ['first', { ...OVER, modelCalls: 3 }],
    ['last', { workflow: 'FAILED', state: 'failed', debits: 0, modelCalls: 2 }],
  ])(
    "of a failed run to its %s task while the person's retry streams: one run lives, and it alone ends the turn",
    async (which, outcome) => {
      const turn = await failed(stack, await stack.person());
      const point = await pointOf(turn, which);
      const gate = new Gate(2);
      stack.model.next({ ...ANSWER, gate });
      const retried = turn.retry();
      await gate.reached;
      await turn.reset(point);
      late.set(turn, gate);
      await expectOutcome(turn, outcome);
      expect((await retried).body).toMatchObject(
        outcome.state === 'completed' ? { state: 'completed' } : { code: 'model_rejected' },
      );
    },
  );

  test('of both runs of a turn that failed twice, by one query: it runs, and is debited once', async () => {
    const person = await stack.person();
    const turn = await failed(stack, person);
    stack.model.next({ status: 400 });
    await turn.retry();
    await turn.ended();
    const query = `UserId = "${person.userId}" AND TaskQueue = "${stack.taskQueuePrefix}turns"`;
    await listed(stack, query, 2);
    await batchDone(stack, await BATCH['by `temporal workflow reset --query`'](query, 'first'), 2);
    await turn.ended();
    expect((await turn.read()).body).toMatchObject({ state: 'completed' });
    expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
  });
});

describe('a start that arrives when the run of another start has ended the turn', () => {
  test.each<[string, (stack: TestStack, person: Person) => Promise<TestTurn>]>([
    ['refused', refused],
    ['failed', failed],
  ])('finds a %s turn, and leaves it as its person was told', async (state, make) => {
    const person = await stack.person();
    const turn = await make(stack, person);
    const before = await turn.read();
    const { conversationId } = before.body;
    const { runId: first } = await turn.handle().describe();
    await stack.runs.start(
      { turnId: turn.turnId, userId: person.userId, conversationId, model: 'gpt-4.1-mini', runReason: 'send' },
      () => Promise.resolve(true),
    );
    await until(async () => (await turn.handle().describe()).runId !== first);
    await turn.ended();
    expect((await turn.read()).body).toEqual(before.body);
    expect(await turn.books()).toMatchObject({ debits: 0, liveHolds: 0 });
    expect(before.body.state).toBe(state);
  });
});

test('what was fenced has changed nothing, now that every attempt is over', async () => {
  await worker.close();
  for (const [turn, { body, books }] of seen) {
    expect((await turn.read()).body).toEqual(body);
    expect(await turn.books()).toEqual(books);
  }
  expect(seen.size).toBeGreaterThan(30);
});

async function expectOutcome(turn: TestTurn, { workflow, state, debits, modelCalls: calls }: Outcome): Promise<void> {
  expect(await turn.ended()).toBe(workflow);
  // Only now the fenced attempt may bring its answer.
  late.get(turn)?.open();
  const [{ body }, books] = await Promise.all([turn.read(), turn.books()]);
  expect({ state: body.state, debits: books.debits, liveHolds: books.liveHolds, modelCalls: modelCalls(turn) }).toEqual(
    { state, debits, liveHolds: 0, modelCalls: calls },
  );
  expect(books.debited).toBe(body.usage?.debitedTokens ?? 0);
  if (state === 'completed') expect(body.content).toBe(ANSWER.chunks.join(''));
  seen.set(turn, { body, books });
}
