import { sql } from 'kysely';
import { reopenTurn } from '../../db/turns.ts';
import { RECONCILE_SCHEDULE_ID, type WORKFLOW_TYPES } from '../../workflows/contract.ts';
import { Gate, type Point } from '../fake-model/scenario.ts';
import { readEvents, textOf } from '../support/events.ts';
import { lockRows, type RowLock } from '../support/lock.ts';
import { until } from '../support/until.ts';
import type { TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';

/** A closed run of the real service, whose history is recorded. */
export interface Run {
  readonly stack: TestStack;
  readonly workflowId: string;
  /** Of one run; else the newest. */
  readonly runId?: string;
}

/** Brings about one way for a workflow to end. */
export type Scenario = (stage: Stage) => Promise<Run>;

export interface Stage {
  readonly stack: TestStack;
  /** A stack of the scenario's own, without a worker until it starts one. */
  openIdle(): Promise<TestStack>;
}

/** What is said in them; a test looks for it in what was recorded. */
export const SAID = { question: '비밀 질문입니다', answer: ['비밀', ' 답변', '입니다', '.'] } as const;
const ANSWER = { chunks: SAID.answer };
const UNAVAILABLE = { status: 503, headers: { 'retry-after-ms': '10' } };

/**
 * Every ending of every workflow type. The compiler asks for each type, and a test for a recorded history of each line:
 * `npm run record -- <type>/<name>` makes it (docs/architecture.md, Changing workflow code).
 */
export const SCENARIOS = {
  chatTurn: {
    'answered': async ({ stack }) => ended(await asked(stack)),
    'answered-by-the-second-attempt': async ({ stack }) => {
      stack.model.next(UNAVAILABLE);
      return ended(await asked(stack));
    },
    'refused': async ({ stack }) => {
      const turn = await newTurn(stack);
      await setUsage(turn, 105);
      return ended(turn, turn.send());
    },
    'stopped-before-the-first-delta': async ({ stack }) => ended(await stoppedAt(stack, 'request')),
    'stopped-after-the-first-delta': async ({ stack }) => ended(await stoppedAt(stack, 3)),
    'stopped-with-its-worker-lost': async ({ openIdle }) => {
      const stack = await openIdle();
      const worker = await stack.startWorker();
      const [turn, gate] = await running(stack, 'request');
      await worker.close();
      await turn.stop();
      gate.open();
      await stack.startWorker();
      return ended(turn);
    },
    'cancelled-before-it-began': async ({ openIdle }) => {
      const stack = await openIdle();
      const turn = await newTurn(stack);
      const sending = turn.send();
      await turn.started();
      await turn.handle().cancel();
      await stack.startWorker();
      return ended(turn, sending);
    },
    'cancelled-while-settling': async ({ stack }) => {
      const [turn, gate] = await running(stack, 'finish');
      const lock = await lockPeriod(turn);
      gate.open();
      await until(() => lock.isWanted());
      await turn.handle().cancel();
      await lock.release();
      return ended(turn);
    },
    'failed-for-good': async ({ stack }) => {
      stack.model.next({ status: 401 });
      return ended(await asked(stack));
    },
    'failed-after-every-attempt': async ({ stack }) => {
      for (let i = 0; i < 4; i++) stack.model.next(UNAVAILABLE);
      return ended(await asked(stack));
    },
    'retried-by-the-person': async ({ stack }) => {
      const turn = await failed(stack);
      return ended(turn, turn.retry());
    },
    'retried-without-room': async ({ stack }) => {
      const turn = await failed(stack);
      await setUsage(turn, 105);
      return ended(turn, turn.retry());
    },
    'replayed-by-an-admin': async ({ stack }) => {
      const turn = await failed(stack);
      const reopened = await reopenTurn(stack.db.database, { turnId: turn.turnId, userId: null, reason: 'replay' });
      await stack.runs.start({ ...reopened, replayed: true });
      return ended(turn);
    },
    'reset-to-its-first-task-when-answered': async ({ stack }) => resetTo('first', await asked(stack)),
    'reset-to-its-last-task-when-answered': async ({ stack }) => resetTo('last', await asked(stack)),
    'reset-to-its-first-task-when-failed': async ({ stack }) => resetTo('first', await failed(stack)),
    'reset-to-its-last-task-when-failed': async ({ stack }) => resetTo('last', await failed(stack)),
    'reset-to-its-last-task-when-stopped': async ({ stack }) => resetTo('last', await stoppedAt(stack, 3)),
    'reset-when-running': async ({ stack }) => {
      const [turn, gate] = await running(stack, 3);
      const again = new Gate('request');
      stack.model.next({ ...ANSWER, gate: again });
      const ending = resetTo('first', turn);
      await again.reached;
      gate.open();
      again.open();
      return ending;
    },
    'reset-when-answered-and-not-settled': async ({ openIdle }) => {
      const stack = await openIdle();
      await stack.startWorker();
      await refuseDebits(stack);
      const turn = await newTurn(stack);
      await turn.send({}, { prefer: 'respond-async' });
      await turn.scheduled('settleTurn');
      await turn.scheduled('settleTurn', await reset('first', turn));
      await allowDebits(stack);
      return ended(turn);
    },
    'reset-in-a-busy-conversation': async ({ stack }) => {
      const turn = await failed(stack);
      const { body: { conversationId } } = await turn.read();
      const gate = new Gate('request');
      stack.model.next({ ...ANSWER, gate });
      const later = new TestTurn(stack, turn.person, { message: SAID.question, conversationId });
      await later.send({}, { prefer: 'respond-async' });
      await gate.reached;
      const ending = await resetTo('first', turn);
      gate.open();
      await later.ended();
      return ending;
    },
    'settled-by-the-regular-activity': async ({ stack }) => {
      const [turn, gate] = await running(stack, 'finish');
      const lock = await lockPeriod(turn);
      gate.open();
      await turn.scheduled('settleTurn');
      await lock.release();
      return ended(turn);
    },
    'released-by-the-regular-activity': async ({ stack }) => {
      const gate = new Gate('request');
      stack.model.next({ status: 401, gate });
      const turn = await newTurn(stack);
      const sending = turn.send();
      await gate.reached;
      const lock = await lockAccount(turn);
      gate.open();
      await turn.scheduled('releaseTurn');
      await lock.release();
      return ended(turn, sending);
    },
    'never-reserved': async ({ openIdle }) => {
      const stack = await openIdle();
      const turn = await newTurn(stack);
      const sending = turn.send();
      await turn.started();
      const lock = await lockAccount(turn);
      await stack.startWorker();
      await turn.scheduled('releaseTurn');
      await lock.release();
      return ended(turn, sending);
    },
  },
  reconcile: {
    'done': async ({ stack }) => reconciled(stack),
    'given-up': async ({ openIdle }) => {
      const stack = await openIdle();
      await stack.startWorker();
      await sql`alter table turns rename to turns_away`.execute(stack.db.database.sql);
      return reconciled(stack);
    },
  },
} as const satisfies Record<keyof typeof WORKFLOW_TYPES, Record<string, Scenario>>;

async function newTurn(stack: TestStack): Promise<TestTurn> {
  return new TestTurn(stack, await stack.person(), { message: SAID.question });
}

/** A turn that was sent and has ended. */
async function asked(stack: TestStack): Promise<TestTurn> {
  const turn = await newTurn(stack);
  await turn.send();
  await turn.ended();
  return turn;
}

async function failed(stack: TestStack): Promise<TestTurn> {
  stack.model.next({ status: 400 });
  return asked(stack);
}

/** A turn whose model call is held at `point`. */
async function running(stack: TestStack, point: Point): Promise<[TestTurn, Gate]> {
  const turn = await newTurn(stack);
  const gate = new Gate(point);
  stack.model.next({ ...ANSWER, gate });
  await turn.send({}, { prefer: 'respond-async' });
  await gate.reached;
  return [turn, gate];
}

async function stoppedAt(stack: TestStack, point: Point): Promise<TestTurn> {
  const [turn, gate] = await running(stack, point);
  if (point !== 'request') await readEvents(await turn.follow(), (seen) => textOf(seen) !== '');
  await turn.stop();
  await turn.ended();
  gate.open();
  return turn;
}

/** @returns the newest run, over, which a reset began. */
async function resetTo(which: 'first' | 'last', turn: TestTurn): Promise<Run> {
  return ended(turn, reset(which, turn));
}

/** @returns the id of the new run. */
async function reset(which: 'first' | 'last', turn: TestTurn): Promise<string> {
  const point = (await turn.resetPoints()).at(which === 'first' ? 0 : -1);
  if (point === undefined) throw new Error('a run has a completed workflow task');
  return turn.reset(point);
}

/** Its newest run, over. @param cause what ends it. */
async function ended(turn: TestTurn, cause?: Promise<unknown>): Promise<Run> {
  await cause;
  await turn.ended();
  return { stack: turn.stack, workflowId: turn.workflowId };
}

async function setUsage({ person }: TestTurn, usagePercent: number): Promise<void> {
  const { status } = await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent });
  if (status !== 200) throw new Error(`the usage was not set: ${status}`);
}

/** Holds back settle, but not the storing of the answer before it. */
function lockPeriod({ person, stack }: TestTurn): Promise<RowLock> {
  return lockRows(stack.db.url, 'select 1 from periods where account_id = (select id from accounts where user_id = $1)', [person.userId]);
}

/** Holds back every step of the account's turns. */
function lockAccount({ person, stack }: TestTurn): Promise<RowLock> {
  return lockRows(stack.db.url, 'select 1 from accounts where user_id = $1', [person.userId]);
}

/** Settle fails at once, as often as it is tried, and nothing else does. */
async function refuseDebits({ db: { database } }: TestStack): Promise<void> {
  await sql`alter table ledger_entries add constraint no_debits_for_now check (kind <> 'debit')`.execute(database.sql);
}

async function allowDebits({ db: { database } }: TestStack): Promise<void> {
  await sql`alter table ledger_entries drop constraint no_debits_for_now`.execute(database.sql);
}

async function reconciled(stack: TestStack): Promise<Run> {
  const schedule = stack.temporal.client.schedule.getHandle(`${stack.taskQueuePrefix}${RECONCILE_SCHEDULE_ID}`);
  await schedule.trigger();
  await until(async () => (await schedule.describe()).info.recentActions.length > 0);
  const [action] = (await schedule.describe()).info.recentActions;
  if (action?.action.type !== 'startWorkflow') throw new Error('the schedule starts a workflow');
  const { workflow: { workflowId, firstExecutionRunId } } = action.action;
  await stack.temporal.client.workflow.getHandle(workflowId, firstExecutionRunId).result().catch(() => {});
  return { stack, workflowId };
}
