import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { sql } from 'kysely';
import {
  ADMIN_STATS_SCHEDULE_ID,
  DAILY_REPORTS_ID,
  deliveryWorkflowId,
  PAYMENTS_RECONCILE_IDS,
  RECONCILE_SCHEDULE_ID,
  purchaseWorkflowId,
  redriveWorkflowId,
  refundWorkflowId,
  resendWorkflowId,
  REPAIR_SCHEDULES_ID,
  taskQueues,
  turnWorkflowId,
  userScheduleId,
  type WORKFLOW_TYPES,
} from '../../workflows/contract/ids.ts';
import { TRY_NOW } from '../../workflows/contract/deliveries.ts';
import type { fanOut } from '../../workflows/schedules/fan-out.ts';
import { Gate, type Point } from '../fake-model/scenario.ts';
import type { FakeStripe } from '../fake-payments/stripe.ts';
import { readEvents, textOf } from '../support/events.ts';
import { lockRows, type RowLock } from '../support/lock.ts';
import { restartRedrive } from '../support/redrive.ts';
import { giveAddress, mailsOf, type TestMail } from '../support/mail.ts';
import type { TestShop } from '../support/shop.ts';
import { TestSchedule } from '../support/schedules.ts';
import type { Person, TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';
import { pausesOf } from './pauses.ts';
import { toppedUp } from './top-ups.ts';

/** A closed run of the real service, whose history is recorded. */
export interface Run {
  readonly stack: TestStack;
  readonly workflowId: string;
  /** The run; the newest when it is left out. */
  readonly runId?: string;
}

/** Makes a workflow end in one of its ways. */
export type Scenario = (stage: Stage) => Promise<Run>;

export interface Stage {
  /** It sells by `shop`, and by `stripe`, which keeps cards. */
  readonly stack: TestStack;
  readonly shop: TestShop;
  readonly stripe: FakeStripe;
  /** It sends mail by `mail`. */
  readonly mail: TestMail;
  /** Opens a stack for the scenario, without a worker until it starts one. */
  openIdle(): Promise<TestStack>;
}

/** The texts of all scenarios: a test checks that no recorded history contains them. */
export const TEXTS = { question: '비밀 질문입니다', answer: ['비밀', ' 답변', '입니다', '.'] } as const;
const ANSWER = { chunks: TEXTS.answer };
const UNAVAILABLE = { status: 503, headers: { 'retry-after-ms': '10' } };

/**
 * Every ending of every workflow type. The compiler requires each type, and a test requires a recorded history for each
 * line; `npm run record -- <type>/<name>` makes it (docs/architecture/workflow-code.md).
 */
export const SCENARIOS = {
  chatTurn: {
    answered: async ({ stack }) => ended(await asked(stack)),
    'answered-through-the-openai-door-with-a-call': async ({ stack }) => {
      const person = await stack.person();
      stack.model.next({ calls: [{ name: 'look', arguments: [`{"a":"${TEXTS.question}"}`] }] });
      const { status, headers } = await person.call('POST', '/v1/chat/completions', {
        model: 'gpt-4.1-mini',
        messages: [{ role: 'user', content: TEXTS.question }],
        tools: [{ type: 'function', function: { name: 'look', description: TEXTS.question } }],
      });
      if (status !== 200) throw new Error(`the door answers ${status}`);
      const workflowId = turnWorkflowId(person.userId, headers.get('x-turnkeeper-turn-id') ?? '');
      await stack.temporal.client.workflow.getHandle(workflowId).result();
      return { stack, workflowId };
    },
    'answered-arming-its-schedules': async ({ stack }) => {
      const turn = new TestTurn(stack, await stack.person(), { message: TEXTS.question });
      await setUsage(turn, 89.999);
      await sql`update periods set reset_armed = false where account_id = (select id from accounts where user_id = ${turn.person.userId})`.execute(
        stack.db.database.sql,
      );
      stack.model.next({ ...ANSWER, usage: { prompt_tokens: 900, completion_tokens: 100 } });
      return ended(turn, turn.send());
    },
    'answered-by-the-second-attempt': async ({ stack }) => {
      stack.model.next(UNAVAILABLE);
      return ended(await asked(stack));
    },
    refused: async ({ stack }) => {
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
      const admin = await stack.person('admin');
      await admin.call('POST', `/api/admin/turns/${turn.turnId}/replay`, { reason: 'an outage' });
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
      const {
        body: { conversationId },
      } = await turn.read();
      const gate = new Gate('request');
      stack.model.next({ ...ANSWER, gate });
      const later = new TestTurn(stack, turn.person, { message: TEXTS.question, conversationId });
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
      // The account alone would not do: its person is told soon, and nothing is left to release.
      const lock = await lockTurn(turn);
      await stack.startWorker();
      await turn.scheduled('releaseTurn');
      await lock.release();
      return ended(turn, sending);
    },
  },
  reconcile: {
    done: async ({ stack }) => fired(stack, RECONCILE_SCHEDULE_ID),
    'given-up': async ({ openIdle }) => {
      const stack = await openIdle();
      await stack.startWorker();
      await sql`alter table turns rename to turns_away`.execute(stack.db.database.sql);
      return fired(stack, RECONCILE_SCHEDULE_ID);
    },
  },
  redriveTurns: {
    completed: async ({ stack }) => redriven(stack, 5),
    'paused-resumed-and-cancelled': async ({ stack }) =>
      redriven(stack, 1, async (workflow) => {
        await workflow.signal('pause');
        await workflow.signal('resume');
        await workflow.signal('cancel');
      }),
    'continued-as-new': async ({ stack }) => {
      let runId = '';
      const run = await redriven(stack, 1, async ({ workflowId }) => {
        runId = await restartRedrive(stack, workflowId, { ratePerSecond: 1, mostEvents: 10 });
      });
      return { ...run, runId };
    },
    'cancelled-in-the-temporal-ui': async ({ stack }) =>
      redriven(stack, 1, async (workflow) => {
        await workflow.cancel();
      }),
  },
  allowanceReset: {
    'already-reset': async ({ stack }) => fired(stack, userScheduleId('reset', await personAt(stack, 10))),
    'reporting-the-month-before': async ({ stack }) => {
      const userId = await personAt(stack, 10);
      await sql`insert into periods (account_id, label, starts_at, ends_at, allowance_tokens, used_tokens, spent_allowance_tokens)
        select account_id, to_char(starts_at - interval '10 days', 'YYYY-MM'), starts_at - interval '1 month', starts_at, 100000, 500, 500
        from periods where account_id = (select id from accounts where user_id = ${userId})`.execute(
        stack.db.database.sql,
      );
      return fired(stack, userScheduleId('reset', userId));
    },
    'unused-and-disarmed': async ({ stack }) => {
      const userId = await personAt(stack, 10);
      await sql`update periods set used_tokens = 0, spent_allowance_tokens = 0 where account_id = (select id from accounts where user_id = ${userId})`.execute(
        stack.db.database.sql,
      );
      return fired(stack, userScheduleId('reset', userId));
    },
  },
  usageAlert: {
    sent: async ({ stack }) => firstOf(stack, userScheduleId('alert', await personAt(stack, 92))),
    'below-and-disarmed': async ({ stack }) => {
      const userId = await personAt(stack, 92);
      await firstOf(stack, userScheduleId('alert', userId));
      await sql`update periods set used_tokens = 0, spent_allowance_tokens = 0 where account_id = (select id from accounts where user_id = ${userId})`.execute(
        stack.db.database.sql,
      );
      return fired(stack, userScheduleId('alert', userId));
    },
  },
  repairSchedules: {
    done: async ({ stack }) => fired(stack, REPAIR_SCHEDULES_ID),
    'given-up': async ({ openIdle }) => {
      const stack = await openIdle();
      await stack.startWorker();
      await firstOf(stack, REPAIR_SCHEDULES_ID);
      await sql`alter table periods rename to periods_away`.execute(stack.db.database.sql);
      return fired(stack, REPAIR_SCHEDULES_ID);
    },
  },
  fanOut: {
    done: async ({ stack }) => {
      await personAt(stack, 92);
      const workflowId = `fan-out-${randomUUID()}`;
      await stack.temporal.client.workflow.execute<typeof fanOut>('fanOut', {
        workflowId,
        taskQueue: taskQueues(stack.taskQueuePrefix).background,
        args: [{ kind: 'alert', timeZone: null }],
      });
      return { stack, workflowId };
    },
  },
  adminStats: {
    done: async ({ stack }) => fired(stack, ADMIN_STATS_SCHEDULE_ID),
    'given-up': async ({ openIdle }) => {
      const stack = await openIdle();
      await stack.startWorker();
      await sql`alter table accounts rename to accounts_away`.execute(stack.db.database.sql);
      return fired(stack, ADMIN_STATS_SCHEDULE_ID);
    },
  },
  dailyReports: {
    done: async ({ stack }) => fired(stack, DAILY_REPORTS_ID),
  },
  paymentsReconcile: {
    done: async ({ stack }) => fired(stack, PAYMENTS_RECONCILE_IDS.hourly),
  },
  purchase: {
    'watched-until-paid': async (stage) => paid(stage),
    'heard-of-when-it-was-over': async (stage) => {
      const { purchaseId, workflowId } = await paid(stage);
      const before = await closedRun(stage.stack, workflowId);
      await stage.shop.act(purchaseId, 'withdraw');
      await until(async () => ![null, before].includes(await closedRun(stage.stack, workflowId)));
      return { stack: stage.stack, workflowId };
    },
  },
  refund: {
    'given-back': async (stage) => refunded(stage),
    'refused-by-the-provider': async (stage) =>
      refunded(stage, async ({ purchaseId }) => {
        await stage.shop.refund(purchaseId, 4_900);
      }),
  },
  autoTopUp: {
    paid: (stage) => toppedUp(stage),
    'declined-and-changed-to-another-card': (stage) =>
      toppedUp(stage, { decline: 'insufficient_funds' }, async (buyer) => {
        await buyer.waits();
        await buyer.choose(await buyer.giveCard());
      }),
    'paused-at-once': (stage) => toppedUp(stage, { decline: 'authentication_required' }),
    'switched-off-while-it-waited': (stage) =>
      toppedUp(stage, { decline: 'insufficient_funds' }, async (buyer) => {
        await buyer.waits();
        await buyer.person.call('PUT', '/api/auto-top-up', { enabled: false });
      }),
  },
  deliver: {
    accepted: async (stage) => delivered(stage),
    'tried-again-when-asked': async (stage) => {
      stage.mail.next({ at: 'rcpt', code: 450 });
      return delivered(stage, async (workflowId) => {
        await until(async () => (await pausesOf(stage.stack, workflowId)) === 1);
        await stage.stack.temporal.client.workflow.getHandle(workflowId).signal(TRY_NOW);
      });
    },
    refused: async (stage) => {
      stage.mail.next({ at: 'rcpt', code: 550 });
      return delivered(stage);
    },
  },
  resendDeliveries: {
    completed: async (stage) => resent(stage),
    'cancelled-in-the-temporal-ui': async (stage) =>
      resent(stage, (workflowId) => stage.stack.temporal.client.workflow.getHandle(workflowId).cancel()),
  },
} as const satisfies Record<keyof typeof WORKFLOW_TYPES, Record<string, Scenario>>;

/**
 * The mail of an alert, delivered or refused.
 * @param meanwhile is called when its workflow has begun.
 */
async function delivered(
  { stack }: Pick<Stage, 'stack'>,
  meanwhile: (workflowId: string) => Promise<void> = async () => {},
): Promise<Run> {
  const person = await stack.person();
  await giveAddress(stack, person);
  await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 92 });
  await until(async () => (await mailsOf(stack, person)).length === 1);
  const [mail] = await mailsOf(stack, person);
  const workflowId = deliveryWorkflowId(mail?.id ?? '');
  await meanwhile(workflowId);
  await until(async () => (await mailsOf(stack, person))[0]?.state !== 'pending');
  await stack.temporal.client.workflow
    .getHandle(workflowId)
    .result()
    .catch(() => {});
  return { stack, workflowId };
}

/**
 * Two mails that were refused, sent once more, one a second.
 * @param meanwhile is called when the first is begun.
 */
export async function resent(
  stage: Pick<Stage, 'stack' | 'mail'>,
  meanwhile: (workflowId: string) => Promise<unknown> = async () => {},
): Promise<Run> {
  const { stack, mail } = stage;
  for (let n = 0; n < 2; n += 1) {
    mail.next({ at: 'data', code: 554 });
    await delivered(stage);
  }
  const admin = await stack.person('admin');
  const { body } = await admin.call('POST', '/api/admin/deliveries/resend', {
    filter: { kind: 'usage.alert' },
    limit: 2,
    confirm: 2,
    ratePerSecond: 1,
    reason: 'asked for by letter',
  });
  const workflowId = resendWorkflowId(body.resendId);
  await until(async () => (await admin.call('GET', `/api/admin/resends/${body.resendId}`)).body.progress.waiting < 2);
  await meanwhile(workflowId);
  await stack.temporal.client.workflow.getHandle(workflowId).result();
  return { stack, workflowId };
}

/** A purchase that its buyer has paid, whose workflow is over. */
async function paid({ stack, shop }: Stage): Promise<Run & { purchaseId: string; buyer: Person }> {
  const buyer = await stack.person();
  const bought = await buyer.call(
    'POST',
    '/api/purchases',
    { packId: 'small', provider: 'demo' },
    { 'idempotency-key': randomUUID() },
  );
  const { purchaseId, checkout } = bought.body as { purchaseId: string; checkout: { url: string } };
  await shop.choose(checkout.url, 'pay');
  const workflowId = purchaseWorkflowId(purchaseId);
  await until(async () => (await closedRun(stack, workflowId)) !== null);
  return { stack, workflowId, purchaseId, buyer };
}

/** @param before what happens at the provider that nobody tells us. */
async function refunded(
  stage: Stage,
  before: (purchase: { purchaseId: string }) => Promise<void> = async () => {},
): Promise<Run> {
  const { stack, purchaseId, buyer } = await paid(stage);
  await before({ purchaseId });
  const { body } = await buyer.call(
    'POST',
    `/api/purchases/${purchaseId}/refunds`,
    { all: true },
    { 'idempotency-key': randomUUID() },
  );
  const [asked] = (body as { refunds: { refundId: string }[] }).refunds;
  const workflowId = refundWorkflowId(asked?.refundId ?? '');
  await until(async () => (await closedRun(stack, workflowId)) !== null);
  return { stack, workflowId };
}

/** The newest run of a workflow, once it is closed; null before. */
async function closedRun(stack: TestStack, workflowId: string): Promise<string | null> {
  const { status, runId } = await stack.temporal.client.workflow.getHandle(workflowId).describe();
  return status.name === 'RUNNING' ? null : runId;
}

/** A turn of a person whose reset is already armed, as it is all but once a month. */
async function newTurn(stack: TestStack): Promise<TestTurn> {
  const turn = new TestTurn(stack, await stack.person(), { message: TEXTS.question });
  await setUsage(turn, 1);
  return turn;
}

/** Sends a turn and waits for its end. */
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

/**
 * Resets the turn.
 * @returns the run that the reset began, ended.
 */
async function resetTo(which: 'first' | 'last', turn: TestTurn): Promise<Run> {
  return ended(turn, reset(which, turn));
}

/** @returns the id of the new run. */
async function reset(which: 'first' | 'last', turn: TestTurn): Promise<string> {
  const point = (await turn.resetPoints()).at(which === 'first' ? 0 : -1);
  if (point === undefined) throw new Error('a run has a completed workflow task');
  return turn.reset(point);
}

/**
 * The turn's newest run, ended.
 * @param cause what ends it.
 */
async function ended(turn: TestTurn, cause?: Promise<unknown>): Promise<Run> {
  await cause;
  await turn.ended();
  return { stack: turn.stack, workflowId: turn.workflowId };
}

/**
 * Replays three failed turns of one person.
 * @param meanwhile is called when one of them has begun.
 */
async function redriven(
  stack: TestStack,
  ratePerSecond: number,
  meanwhile: (workflow: WorkflowHandle) => Promise<void> = async () => {},
): Promise<Run> {
  const { person } = await failed(stack);
  for (let i = 0; i < 2; i++) {
    stack.model.next({ status: 400 });
    await new TestTurn(stack, person, { message: TEXTS.question }).send();
  }
  const admin = await stack.person('admin');
  const {
    body: { redriveId },
  } = await admin.call('POST', '/api/admin/turns/replay', {
    filter: { userId: person.userId },
    reason: 'an outage',
    ratePerSecond,
    confirm: 3,
  });
  await until(async () => (await admin.call('GET', `/api/admin/redrives/${redriveId}`)).body.progress.waiting < 3);
  const workflowId = redriveWorkflowId(String(redriveId));
  const workflow = stack.temporal.client.workflow.getHandle(workflowId);
  await meanwhile(workflow);
  await workflow.result();
  return { stack, workflowId };
}

async function setUsage({ person }: TestTurn, usagePercent: number): Promise<void> {
  const { status } = await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent });
  if (status !== 200) throw new Error(`the usage was not set: ${status}`);
}

/** Blocks settle, but not the storing of the answer before it. */
function lockPeriod({ person, stack }: TestTurn): Promise<RowLock> {
  return lockRows(
    stack.db.url,
    'select 1 from periods where account_id = (select id from accounts where user_id = $1)',
    [person.userId],
  );
}

/** Blocks every step of the account's turns. */
function lockAccount({ person, stack }: TestTurn): Promise<RowLock> {
  return lockRows(stack.db.url, 'select 1 from accounts where user_id = $1', [person.userId]);
}

/** Blocks every step of the turn, and the word that it is not begun, too. */
function lockTurn({ turnId, stack }: TestTurn): Promise<RowLock> {
  return lockRows(stack.db.url, 'select 1 from turns where id = $1', [turnId]);
}

/** Makes settle, and nothing else, fail at once each time. */
async function refuseDebits({ db: { database } }: TestStack): Promise<void> {
  await sql`alter table ledger_entries add constraint no_debits_for_now check (kind <> 'debit')`.execute(database.sql);
}

async function allowDebits({ db: { database } }: TestStack): Promise<void> {
  await sql`alter table ledger_entries drop constraint no_debits_for_now`.execute(database.sql);
}

/**
 * Makes a person at this level, with the schedules that belong to it.
 * @returns their id.
 */
async function personAt(stack: TestStack, usagePercent: number): Promise<number> {
  const person = await stack.person();
  await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent });
  return person.userId;
}

/**
 * Triggers a schedule.
 * @returns its run, ended.
 */
async function fired(stack: TestStack, id: string): Promise<Run> {
  return { stack, ...(await new TestSchedule(stack, id).fire()) };
}

/** The run that arming the schedule began, ended. */
async function firstOf(stack: TestStack, id: string): Promise<Run> {
  return { stack, ...(await new TestSchedule(stack, id).ended(1)) };
}
