import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { TurnState } from '../../domain/turn.ts';
import { Gate, type Scenario } from '../fake-model/scenario.ts';
import { readEvents, textOf } from '../support/events.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import type { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';
import {
  ANSWER,
  answered,
  failed,
  newTurn,
  pointOf,
  refused,
  running,
  sent,
  setUsage,
  stopped,
} from '../workflow/stage.ts';

/** The tables of policy 6 and policy 7, cell by cell: a row or a column without its cell does not compile. */
let stack: TestStack;
/** A stack with one slot: a second turn has its hold and waits. */
let narrow: TestStack;

beforeAll(async () => {
  [stack, narrow] = await Promise.all([startTestStack(), startTestStack({ TURN_SLOTS: '1' })]);
  for (const { model } of [stack, narrow]) model.always(ANSWER);
});
afterAll(() => Promise.all([stack.close(), narrow.close()]));

const USAGE = { prompt_tokens: 21, completion_tokens: 9 };

interface Ending {
  /** Brings a turn of this person to the ending. */
  readonly make: (person: Person) => Promise<TestTurn>;
  readonly state: TurnState;
  /**
   * What is charged: nothing; what the provider says (30 tokens here); or what our tokenizer counts, marked as
   * estimated.
   */
  readonly debit: 'nothing' | 'provider' | 'counted';
  /** The tokens that the provider charges although nobody is charged for them; they are kept on the attempt. */
  readonly cost?: number;
}

/** The rows of "What each ending costs". */
type EndingRow =
  | 'refused'
  | 'failed at any point'
  | 'lost attempts'
  | 'stopped before the first delta'
  | 'stopped with its worker lost'
  | 'stopped after the first delta'
  | 'completed'
  | 'a replay that succeeds';

const ENDINGS = {
  refused: {
    'for lack of tokens': { make: (person) => refused(stack, person), state: 'refused', debit: 'nothing' },
  },
  'failed at any point': {
    'before its first delta': {
      make: (person) => sent(stack, person, { status: 401 }),
      state: 'failed',
      debit: 'nothing',
    },
    'in mid-stream': {
      make: (person) => sent(stack, person, { ...ANSWER, errorAt: 3, error: { type: 'invalid_request_error' } }),
      state: 'failed',
      debit: 'nothing',
    },
    'by the content filter, after the stream': {
      make: (person) => sent(stack, person, { ...ANSWER, finishReason: 'content_filter', usage: USAGE }),
      state: 'failed',
      debit: 'nothing',
      cost: 21,
    },
  },
  'lost attempts': {
    'before one that answers': {
      make: async (person) => {
        stack.model.next({ ...ANSWER, dropAt: 3 });
        return sent(stack, person, { ...ANSWER, usage: USAGE });
      },
      state: 'completed',
      debit: 'provider',
    },
  },
  'stopped before the first delta': {
    'by the person': { make: (person) => stopped(stack, person, 'request'), state: 'stopped', debit: 'nothing' },
  },
  'stopped with its worker lost': {
    'after its first delta': { make: stoppedWithoutWorker, state: 'stopped', debit: 'nothing' },
  },
  'stopped after the first delta': {
    'without usage': { make: (person) => stoppedAfterText(person, {}), state: 'stopped', debit: 'counted' },
    'with usage that came along': {
      make: (person) => stoppedAfterText(person, { usage: USAGE, usageAlong: true }),
      state: 'stopped',
      debit: 'provider',
    },
  },
  completed: {
    'with stop': {
      make: (person) => sent(stack, person, { ...ANSWER, usage: USAGE }),
      state: 'completed',
      debit: 'provider',
    },
    'with length': {
      make: (person) => sent(stack, person, { ...ANSWER, finishReason: 'length', usage: USAGE }),
      state: 'completed',
      debit: 'provider',
    },
    'without usage': {
      make: (person) => sent(stack, person, { ...ANSWER, omitUsage: true }),
      state: 'completed',
      debit: 'counted',
    },
  },
  'a replay that succeeds': {
    'by an admin': {
      make: async (person) => {
        const turn = await failed(stack, person);
        stack.model.next({ ...ANSWER, usage: USAGE });
        await ACTS["an admin's replay"](turn);
        return turn;
      },
      state: 'completed',
      debit: 'provider',
    },
    'by the person': {
      make: async (person) => {
        const turn = await failed(stack, person);
        stack.model.next({ ...ANSWER, usage: USAGE });
        await turn.retry();
        return turn;
      },
      state: 'completed',
      debit: 'provider',
    },
  },
} satisfies Record<EndingRow, Record<string, Ending>>;

describe('what each ending costs', () => {
  const cells = Object.entries<Record<string, Ending>>(ENDINGS).flatMap(([row, ways]) =>
    Object.entries(ways).map(([how, ending]) => [row, how, ending.debit, ending] as const),
  );

  test.each(cells)('%s, %s: %s', async (_row, _how, debit, { make, state, cost }) => {
    const turn = await make(await stack.person());
    await turn.ended();
    const [{ body }, books] = await Promise.all([turn.read(), turn.books()]);
    expect([body.state, books.debits, books.liveHolds]).toEqual([state, debit === 'nothing' ? 0 : 1, 0]);
    expect(books.debited).toBe(body.usage?.debitedTokens ?? 0);
    if (debit === 'provider')
      expect(body.usage).toMatchObject({ promptTokens: 21, completionTokens: 9, debitedTokens: 30, estimated: false });
    if (debit === 'counted')
      expect(body.usage).toMatchObject({ estimated: true, debitedTokens: body.usage.totalTokens });
    if (debit === 'nothing') expect(books.debited).toBe(0);
    if (cost !== undefined) expect(await costOf(turn)).toBe(cost);
  });
});

interface Situation {
  readonly turn: TestTurn;
  /** Lets the turn go on, when something holds it. */
  readonly release: () => void;
}

const SITUATIONS = {
  accepted: async () => {
    const { gate } = await running(narrow, await narrow.person(), 'request');
    const turn = newTurn(narrow, await narrow.person());
    await turn.send({}, { prefer: 'respond-async' });
    return { turn, release: () => gate.open() };
  },
  running: async () => {
    const { turn, gate } = await running(stack, await stack.person(), 2);
    return { turn, release: () => gate.open() };
  },
  completed: async () => ({ turn: await answered(stack, await stack.person()), release: () => {} }),
  stopped: async () => ({ turn: await stopped(stack, await stack.person(), 3), release: () => {} }),
  failed: async () => ({ turn: await failed(stack, await stack.person()), release: () => {} }),
  refused: async () => ({ turn: await refused(stack, await stack.person()), release: () => {} }),
} satisfies Record<TurnState, () => Promise<Situation>> as Record<TurnState, () => Promise<Situation>>;

const ACTS = {
  'the same body': (turn: TestTurn, live: boolean) => turn.send({}, live ? { prefer: 'respond-async' } : {}),
  'another body': (turn: TestTurn) => turn.send({ message: '다른 질문' }),
  "the person's retry": (turn: TestTurn) => turn.retry(),
  "an admin's replay": async (turn: TestTurn) =>
    (await turn.stack.person('admin')).call('POST', `/api/admin/turns/${turn.turnId}/replay`, { reason: 'test' }),
  'a reset in the Temporal UI': async (turn: TestTurn) => {
    await turn.reset(await pointOf(turn, 'first'));
    return null;
  },
};

interface Cell {
  /** The answer's status; a reset has none. */
  readonly status?: number;
  readonly code?: string;
  /** The model calls from here on, and the debits in the end. */
  readonly calls: number;
  readonly debits: number;
  readonly state: TurnState;
}

const JOINED = { status: 202, calls: 0, debits: 1, state: 'completed' } as const;
const STORED = { status: 200, calls: 0, debits: 1, state: 'completed' } as const;
const RUNS = { status: 200, calls: 1, debits: 1, state: 'completed' } as const;
const CONFLICT = { status: 409, code: 'idempotency_conflict' } as const;
const NOT_FAILED = { status: 409, code: 'turn_not_failed' } as const;
const RESET = { calls: 1, debits: 1, state: 'completed' } as const;

const SENDING_AGAIN = {
  accepted: {
    'the same body': { ...JOINED, calls: 1 },
    'another body': { ...JOINED, ...CONFLICT, calls: 1 },
    "the person's retry": { ...JOINED, ...NOT_FAILED, calls: 1 },
    "an admin's replay": { ...JOINED, ...NOT_FAILED, calls: 1 },
    'a reset in the Temporal UI': RESET,
  },
  running: {
    'the same body': JOINED,
    'another body': { ...JOINED, ...CONFLICT },
    "the person's retry": { ...JOINED, ...NOT_FAILED },
    "an admin's replay": { ...JOINED, ...NOT_FAILED },
    'a reset in the Temporal UI': RESET,
  },
  completed: {
    'the same body': STORED,
    'another body': { ...STORED, ...CONFLICT },
    "the person's retry": { ...STORED, ...NOT_FAILED },
    "an admin's replay": { ...STORED, ...NOT_FAILED },
    'a reset in the Temporal UI': { ...RESET, calls: 0 },
  },
  stopped: {
    'the same body': { ...STORED, state: 'stopped' },
    'another body': { ...STORED, ...CONFLICT, state: 'stopped' },
    "the person's retry": { ...STORED, ...NOT_FAILED, state: 'stopped' },
    "an admin's replay": { ...STORED, ...NOT_FAILED, state: 'stopped' },
    'a reset in the Temporal UI': { ...RESET, calls: 0, state: 'stopped' },
  },
  failed: {
    'the same body': { status: 502, code: 'model_rejected', calls: 0, debits: 0, state: 'failed' },
    'another body': { ...CONFLICT, calls: 0, debits: 0, state: 'failed' },
    "the person's retry": RUNS,
    "an admin's replay": { ...RUNS, status: 202 },
    'a reset in the Temporal UI': RESET,
  },
  // There is room again, and a turn that was never admitted has bound its id to nothing.
  refused: {
    'the same body': RUNS,
    'another body': RUNS,
    "the person's retry": RUNS,
    "an admin's replay": { ...NOT_FAILED, calls: 0, debits: 0, state: 'refused' },
    'a reset in the Temporal UI': RESET,
  },
} satisfies Record<TurnState, Record<keyof typeof ACTS, Cell>>;

describe('sending again', () => {
  const cells = Object.entries(SENDING_AGAIN).flatMap(([state, row]) =>
    Object.entries<Cell>(row).map(([column, cell]) => [state as TurnState, column as keyof typeof ACTS, cell] as const),
  );

  test.each(cells)('a turn that is %s, by %s', async (was, column, cell) => {
    const { turn, release } = await SITUATIONS[was]();
    try {
      const before = await turn.read();
      expect(before.body.state).toBe(was);
      const { requests } = turn.stack.model;
      const asked = requests.length;
      const answer = await ACTS[column](turn, was === 'accepted' || was === 'running');
      // The restart must be fenced and not win a race, so the new run begins before the old one may go on.
      if (was === 'running' && answer === null) await until(() => requests.length > asked);
      release();
      await turn.ended();
      expect([answer?.status, answer?.body.code]).toEqual([cell.status, cell.code]);
      const [{ body }, books] = await Promise.all([turn.read(), turn.books()]);
      // A turn that had only its hold makes its first call now; that is no additional call.
      expect({
        state: body.state,
        debits: books.debits,
        liveHolds: books.liveHolds,
        calls: requests.length - asked,
      }).toEqual({ state: cell.state, debits: cell.debits, liveHolds: 0, calls: cell.calls });
      if (cell.state === was) expect(body).toEqual(before.body);
      if (answer?.status === 200) expect(answer.body).toEqual(body);
      if (was === 'failed' && column === 'the same body')
        expect(answer?.body).toMatchObject({
          turnId: turn.turnId,
          conversationId: body.conversationId,
          retryable: false,
        });
    } finally {
      release();
    }
  });

  test.each(['the same body', 'another body', "the person's retry"] as const)(
    'a refused turn for which there is still no room, by %s: 402 with the figures of today',
    async (column) => {
      const person = await stack.person();
      const turn = await refused(stack, person);
      await setUsage(person, 105);
      const asked = stack.model.requests.length;
      expect(await ACTS[column](turn, false)).toMatchObject({
        status: 402,
        body: { code: 'TOKEN_EXHAUSTED', remainingTokens: 0 },
      });
      expect([stack.model.requests.length - asked, await turn.books()]).toEqual([
        0,
        { debits: 0, debited: 0, liveHolds: 0 },
      ]);
    },
  );

  test("a failed turn for which there is no room, by the person's retry: 402, and it can be retried after a purchase", async () => {
    const person = await stack.person();
    const turn = await failed(stack, person);
    await setUsage(person, 105);
    expect(await turn.retry()).toMatchObject({ status: 402, body: { code: 'TOKEN_EXHAUSTED', retryable: true } });
    await turn.ended();
    await setUsage(person, 0);
    expect(await turn.retry()).toMatchObject({ status: 200, body: { state: 'completed' } });
    expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
  });
});

async function stoppedAfterText(person: Person, more: Scenario): Promise<TestTurn> {
  const turn = newTurn(stack, person);
  const gate = new Gate(3);
  stack.model.next({ ...ANSWER, ...more, gate });
  await turn.send({}, { prefer: 'respond-async' });
  await readEvents(await turn.follow(), (events) => textOf(events) === ANSWER.chunks.slice(0, 2).join(''));
  await turn.stop();
  await turn.ended();
  gate.open();
  return turn;
}

async function stoppedWithoutWorker(): Promise<TestTurn> {
  const own = await startTestStack({}, { works: false });
  closing.push(own);
  const worker = await own.startWorker();
  const { turn, gate } = await running(own, await own.person(), 3);
  await worker.close();
  await turn.stop();
  await own.startWorker();
  await turn.ended();
  gate.open();
  return turn;
}

const closing: TestStack[] = [];
afterAll(async () => {
  for (const own of closing) await own.close();
});

async function costOf({ stack: { db }, turnId }: TestTurn): Promise<number | undefined> {
  const { rows } = await sql<{
    tokens: number;
  }>`select prompt_tokens as tokens from attempts where turn_id = ${turnId}`.execute(db.database.sql);
  return rows[0]?.tokens;
}
