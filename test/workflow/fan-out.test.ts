import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { openPlanner } from '../../operations/schedules/open-planner.ts';
import { compareSchedules, mendSchedules } from '../../operations/repair-schedules.ts';
import type { FanOut, FanOutProgress } from '../../workflows/contract/fan-out.ts';
import { fanOutId, REPAIR_SCHEDULES_ID, taskQueues, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import type { fanOut } from '../../workflows/schedules/fan-out.ts';
import { TestSchedule } from '../support/schedules.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** One schedule for all accounts of a time zone, instead of one for each (SCHEDULE_PLANNER=zone). */
let stack: TestStack;
const HOUR = 3_600_000;
/** The policy's clock; Temporal's is real. */
let now = Date.now;

beforeAll(async () => {
  stack = await startTestStack({ SCHEDULE_PLANNER: 'zone' }, { now: () => now() });
});
afterAll(() => stack.close());

async function personAt(percent: number, timeZone = 'Asia/Seoul'): Promise<Person> {
  const person = await stack.person();
  await sql`update accounts set time_zone = ${timeZone} where user_id = ${person.userId}`.execute(
    stack.db.database.sql,
  );
  await putAt(person, percent);
  return person;
}

async function putAt({ call, userId }: Person, usagePercent: number): Promise<void> {
  expect((await call('POST', '/api/ai-usage/test-usage', { userId, usagePercent })).status).toBe(200);
}

async function fire(what: FanOut, firedFor: number): Promise<Pick<FanOutProgress, 'outcomes' | 'failed'>> {
  return stack.temporal.client.workflow.execute<typeof fanOut>(WORKFLOW_TYPES.fanOut, {
    workflowId: `fan-out-${randomUUID()}`,
    taskQueue: taskQueues(stack.taskQueuePrefix).background,
    args: [what, { firedFor, after: 0, outcomes: {}, failed: 0 }],
  });
}

async function reportsTold({ userId }: Person): Promise<number> {
  const { rows } = await sql`select 1 from notifications where user_id = ${userId} and kind = 'usage.report'`.execute(
    stack.db.database.sql,
  );
  return rows.length;
}

/** A planner that has seen nothing yet, as a command has. */
const fresh = () => ({
  database: stack.db.database,
  planner: openPlanner(
    stack.temporal.client,
    { taskQueuePrefix: stack.taskQueuePrefix, planner: 'zone' },
    stack.db.database,
  ),
});

test('one schedule a zone resets everybody in it who was used, once, and nobody else', async () => {
  const seoul = [await personAt(50), await personAt(1), await personAt(80)];
  const elsewhere = await personAt(50, 'America/New_York');
  const schedule = new TestSchedule(stack, fanOutId('reset', 'Asia/Seoul'));
  const { spec } = await schedule.handle.describe();
  expect(spec.timezone).toBe('Asia/Seoul');
  expect(await TestSchedule.ofUser(stack, 'reset', seoul[0]?.userId ?? 0).exists()).toBe(false);
  expect(await stack.planner.find('reset', elsewhere.userId)).toMatchObject({
    timing: 'monthly on day 1 at 04:05 America/New_York',
  });
  const { differences } = await compareSchedules(fresh());
  expect(differences).toEqual([]);

  const month = new Date(Date.now() + 9 * 3_600_000);
  const firedFor = Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1, 4 - 9, 5);
  now = () => firedFor + 1_000;
  const what = { kind: 'reset', timeZone: 'Asia/Seoul' } as const;
  const { outcomes, failed } = await fire(what, firedFor);
  // A touch of an account may come first and reset it: the firing finds it done.
  expect([(outcomes['reset'] ?? 0) + (outcomes['already_reset'] ?? 0), failed]).toEqual([3, 0]);
  expect(await fire(what, firedFor)).toEqual({ outcomes: { already_reset: 3 }, failed: 0 });
  for (const { call } of seoul) expect((await call('GET', '/api/ai-usage')).body.usedTokens).toBe(0);
  // Each is told of the report of the month that is over, once.
  expect(await Promise.all(seoul.map(reportsTold))).toEqual([1, 1, 1]);
  expect(await reportsTold(elsewhere)).toBe(0);
  now = Date.now;
});

test('one schedule checks all that are at 90 %, and whoever comes there at once', async () => {
  const people = [await personAt(92), await personAt(97)];
  const told = async ({ call }: Person) => (await call('GET', '/api/notifications')).body.items.length;
  for (const person of people) await until(async () => (await told(person)) === 1);
  expect(await new TestSchedule(stack, fanOutId('alert', '')).exists()).toBe(true);
  const armed = async () => {
    const { outcomes } = await fire({ kind: 'alert', timeZone: null }, Date.now());
    return outcomes;
  };
  const before = await armed();
  expect(before['sent_before']).toBeGreaterThanOrEqual(2);
  await sql`update periods set used_tokens = 0, spent_allowance_tokens = 0
    where account_id = (select id from accounts where user_id = ${people[0]?.userId ?? 0})`.execute(
    stack.db.database.sql,
  );
  expect(await armed()).toEqual({ sent_before: (before['sent_before'] ?? 0) - 1, below: 1 });
  expect(await armed()).toEqual({ sent_before: (before['sent_before'] ?? 0) - 1 });
});

test('a zone whose schedule is gone is found, and made again', async () => {
  const person = await personAt(10, 'Europe/Paris');
  const schedule = new TestSchedule(stack, fanOutId('reset', 'Europe/Paris'));
  await schedule.handle.delete();
  await until(async () => !(await schedule.exists()));
  const arming = fresh();
  const { differences } = await compareSchedules(arming);
  expect(differences).toMatchObject([{ kind: 'reset', userId: person.userId, fault: 'missing' }]);
  await mendSchedules(arming, differences);
  expect(await schedule.exists()).toBe(true);
  expect((await compareSchedules(fresh())).differences).toEqual([]);
});

test('a month that ends after its firing, because its owner has moved east, is closed by the daily repair, once', async () => {
  const person = await personAt(50, 'America/New_York');
  const { resetsAt } = (await person.call('GET', '/api/ai-usage')).body;
  expect((await person.call('PATCH', '/api/me', { timeZone: 'Asia/Seoul' })).status).toBe(200);
  const repair = new TestSchedule(stack, REPAIR_SCHEDULES_ID);
  await repair.results(1);
  const repairAt = async (at: number) => {
    now = () => at;
    const { workflowId, runId } = await repair.fire();
    return stack.temporal.client.workflow.getHandle(workflowId, runId).result() as Promise<{ closedLate: number }>;
  };
  const end = Date.parse(resetsAt);
  expect(end).toBeGreaterThan(Date.now());
  try {
    // Its regular firing has some hours for it.
    await repairAt(end + 5 * HOUR);
    expect(await reportsTold(person)).toBe(0);
    expect((await repairAt(end + 7 * HOUR)).closedLate).toBeGreaterThanOrEqual(1);
    expect(await reportsTold(person)).toBe(1);
    expect((await repairAt(end + 8 * HOUR)).closedLate).toBe(0);
    expect(await reportsTold(person)).toBe(1);
  } finally {
    now = Date.now;
  }
});
