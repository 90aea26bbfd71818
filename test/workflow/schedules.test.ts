import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { sql } from 'kysely';
import { checkUsage } from '../../db/alerts/check-usage.ts';
import { findAccount } from '../../db/money/accounts.ts';
import { grantTokens } from '../../db/money/grants.ts';
import { setTestUsage } from '../../db/money/usage.ts';
import { spreadSeconds, type Planner } from '../../domain/schedules.ts';
import { TIME_ZONES } from '../../domain/time-zones.ts';
import { armSchedules, disarmSchedule } from '../../operations/arm-schedules.ts';
import { turnWorkflowId } from '../../workflows/contract/ids.ts';
import { TestSchedule } from '../support/schedules.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** No channel leads out of this stack. */
const outward = { email: false, webhook: false };

let stack: TestStack;
/** The policy's clock; Temporal's is real. */
let now = Date.now;
let person: Person;
let accountId: number;
let reset: TestSchedule;
let alert: TestSchedule;

beforeAll(async () => {
  stack = await startTestStack({}, { now: () => now() });
});
afterAll(() => stack.close());
beforeEach(async () => {
  now = Date.now;
  person = await stack.person();
  accountId = (await findAccount(stack.db.database.sql, person.userId))?.accountId ?? 0;
  reset = TestSchedule.ofUser(stack, 'reset', person.userId);
  alert = TestSchedule.ofUser(stack, 'alert', person.userId);
});

const arming = () => ({ database: stack.db.database, planner: stack.planner });
const at = (text: string) => Date.parse(text);
const putAt = (percent: number) =>
  person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: percent });
/** Only the write of a settle or a grant by another process, without what follows it. */
const writeAt = (percent: number) => setTestUsage(stack.db.database, { accountId, percent });
const buy = (tokens: number) =>
  grantTokens(stack.db.database, { userId: person.userId, tokens, reason: 'bought', key: randomUUID() });

async function send(): Promise<{ turnId: string; events: number }> {
  const { status, body } = await person.call('POST', '/api/chat/send', { message: '안녕' });
  expect(status).toBe(200);
  const handle = stack.temporal.client.workflow.getHandle(turnWorkflowId(person.userId, body.turnId));
  await handle.result();
  return { turnId: body.turnId, events: (await handle.fetchHistory()).events?.length ?? 0 };
}

async function remembered(): Promise<{ reset: boolean; alert: string | null }> {
  const { rows } = await sql<{
    reset: boolean;
    alert: string | null;
  }>`select reset_armed as reset, alert_armed as alert from periods
    where account_id = ${accountId} order by ends_at desc limit 1`.execute(stack.db.database.sql);
  return rows[0] ?? { reset: false, alert: null };
}

async function sentLevels(): Promise<string[]> {
  const { rows } = await sql<{
    level: string;
  }>`select level from notifications where user_id = ${person.userId} order by id`.execute(stack.db.database.sql);
  return rows.map(({ level }) => level);
}

describe('armed by what is used', () => {
  test('a period’s first debit arms the reset in 19 events; the next turn arms nothing in 13', async () => {
    expect(await reset.exists()).toBe(false);
    expect((await send()).events).toBe(19);
    const { spec, action, policies, typedSearchAttributes, info } = await reset.handle.describe();
    expect(spec.timezone).toBe('Asia/Seoul');
    expect(spec.calendars).toMatchObject([
      { dayOfMonth: [{ start: 1, end: 1 }], hour: [{ start: 4, end: 4 }], minute: [{ start: 5, end: 5 }] },
    ]);
    expect(action).toMatchObject({
      workflowType: 'allowanceReset',
      taskQueue: `${stack.taskQueuePrefix}background`,
      args: [{ userId: person.userId }],
      staticSummary: `monthly reset of user ${person.userId}`,
      workflowExecutionTimeout: 900_000,
    });
    expect(action.retry).toBeUndefined();
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 86_400_000 });
    expect(JSON.stringify([typedSearchAttributes, action.typedSearchAttributes])).toContain('UserId');
    expect(await alert.exists()).toBe(false);
    expect(await remembered()).toEqual({ reset: true, alert: null });
    expect((await send()).events).toBe(13);
    expect((await reset.handle.describe()).info.lastUpdatedAt).toEqual(info.lastUpdatedAt);
  });

  test('a turn that fails has used nothing, and arms nothing', async () => {
    stack.model.next({ status: 400 });
    expect((await person.call('POST', '/api/chat/send', { message: '안녕' })).status).toBe(502);
    expect(await reset.exists()).toBe(false);
    expect((await send()).events).toBe(19);
  });

  test('90 % arms the hourly check until the period’s end, spread by the id; below it does not', async () => {
    await putAt(89.99);
    expect(await alert.exists()).toBe(false);
    const { body } = await putAt(90);
    const { spec, action, policies } = await alert.handle.describe();
    expect(spec.intervals).toEqual([{ every: 3_600_000, offset: spreadSeconds(person.userId) * 1_000 }]);
    expect(spec.endAt?.toISOString()).toBe(body.period.end);
    expect(action).toMatchObject({
      workflowType: 'usageAlert',
      taskQueue: `${stack.taskQueuePrefix}background`,
      staticSummary: `hourly check of user ${person.userId} at 90 % or more`,
      workflowExecutionTimeout: 900_000,
    });
    expect(action.retry).toBeUndefined();
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 600_000 });
    expect(await remembered()).toEqual({ reset: true, alert: 'WARNING' });
  });

  test('each level is checked as soon as it is reached, and a debit above 90 % that reaches none asks Temporal nothing', async () => {
    await putAt(89.99);
    expect((await send()).events).toBe(19);
    await until(async () => (await sentLevels()).length === 1);
    expect((await send()).events).toBe(13);
    await putAt(95);
    await until(async () => (await sentLevels()).length === 2);
    expect(await sentLevels()).toEqual(['WARNING', 'CRITICAL']);
    expect((await send()).events).toBe(13);
    expect((await alert.results(2)).map(({ outcome, level }) => [outcome, level])).toEqual([
      ['sent', 'WARNING'],
      ['sent', 'CRITICAL'],
    ]);
  });

  test('a settle told twice tells again what to arm, for a worker may die between booking and telling', async () => {
    await putAt(0);
    const { turnId } = await send();
    await sql`update periods set reset_armed = false where account_id = ${accountId}`.execute(stack.db.database.sql);
    const handle = stack.temporal.client.workflow.getHandle(turnWorkflowId(person.userId, turnId));
    const tasks =
      (await handle.fetchHistory()).events?.filter(
        ({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes != null,
      ) ?? [];
    // The task in which settle ran is replayed from its start: settle runs again and finds the turn settled.
    await stack.temporal.client.workflowService.resetWorkflowExecution({
      namespace: stack.temporal.namespace,
      workflowExecution: { workflowId: handle.workflowId },
      reason: 'test',
      requestId: randomUUID(),
      workflowTaskFinishEventId: tasks[1]?.eventId ?? null,
    });
    await until(async () => (await remembered()).reset);
  });

  test('a move to another zone moves the reset, and keeps the end of the period that has begun', async () => {
    await send();
    await person.call('PATCH', '/api/me', { timeZone: 'America/New_York' });
    expect((await reset.handle.describe()).spec.timezone).toBe('America/New_York');
    expect((await send()).events).toBe(13);
  });
});

describe('a time zone', () => {
  test('that may be chosen is one that Temporal and PostgreSQL know', async () => {
    const { rows } = await sql<{ name: string }>`select name from pg_timezone_names`.execute(stack.db.database.sql);
    const known = new Set(rows.map(({ name }) => name));
    expect([...TIME_ZONES].filter((zone) => !known.has(zone))).toEqual([]);
    await stack.planner.arm('reset', { userId: person.userId, timeZone: 'Asia/Seoul', periodEndsAt: 0 });
    const {
      spec: { calendars = [] },
      action,
    } = await reset.handle.describe();
    const isTaken = async (timezone: string) => {
      const error: unknown = await stack.temporal.client.schedule
        .create({ scheduleId: reset.handle.scheduleId, spec: { calendars, timezone }, action })
        .catch((thrown: unknown) => thrown);
      return error instanceof ScheduleAlreadyRunning;
    };
    // The server checks the zone before it finds that a schedule of this name exists, so these 600 requests make none.
    // They are sent one after the other, because everybody uses the server; it takes two seconds.
    const refused: string[] = [];
    for (const zone of [...TIME_ZONES, 'JST']) if (!(await isTaken(zone))) refused.push(zone);
    expect(refused).toEqual(['JST']);
  });

  test('that Temporal refuses is asked for once: the check is armed all the same, and the turn’s workflow ends', async () => {
    // A version that accepted such names may have left an account like this.
    await sql`update accounts set time_zone = 'JST' where id = ${accountId}`.execute(stack.db.database.sql);
    await writeAt(92);
    const { turnId } = await send();
    const { events } = await stack.temporal.client.workflow
      .getHandle(turnWorkflowId(person.userId, turnId))
      .fetchHistory();
    const failures = events?.flatMap(
      ({ activityTaskFailedEventAttributes: failed }) => failed?.failure?.applicationFailureInfo ?? [],
    );
    expect(failures).toMatchObject([{ type: 'ScheduleRefused', nonRetryable: true }]);
    expect(await reset.exists()).toBe(false);
    expect(await alert.exists()).toBe(true);
    expect(await remembered()).toEqual({ reset: false, alert: 'WARNING' });
    await until(async () => (await sentLevels()).length === 1);
  });
});

describe('a firing of the reset', () => {
  test('says in the Temporal UI whose it was and what it found, also when it comes too late', async () => {
    await send();
    await reset.fire();
    expect(await reset.results(1)).toMatchObject([{ outcome: 'already_reset', disarmed: false }]);
    const end = at((await person.call('GET', '/api/ai-usage')).body.resetsAt);
    now = () => end;
    await reset.fire();
    expect((await reset.results(2))[1]).toEqual({ outcome: 'past_month', disarmed: false });
    const runs = [];
    for await (const run of stack.temporal.client.workflow.list({
      query: `UserId = "${person.userId}" AND WorkflowType = "allowanceReset"`,
    }))
      runs.push(run);
    const run = runs.find(({ workflowId }) => workflowId.startsWith(reset.handle.scheduleId));
    const told = await stack.temporal.client.workflow
      .getHandle(run?.workflowId ?? '')
      .query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(told.currentDetails).toMatch(/^period \d{4}-\d\d was open already|^fired for a month that is over/);
  });

  test('by backfill for three missed months resets once, and the same backfill again runs everything and changes nothing', async () => {
    // The middle of a month: on its first day the reset of 04:05 may be still to come.
    const today = new Date();
    const middle = Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - (today.getUTCDate() > 15 ? 0 : 1), 15);
    now = () => middle - 100 * 86_400_000;
    await putAt(40);
    now = () => middle;
    const backfill = {
      start: new Date(middle - 95 * 86_400_000),
      end: new Date(middle),
      overlap: ScheduleOverlapPolicy.BUFFER_ALL,
    };
    await reset.handle.backfill(backfill);
    const first = await reset.results(3);
    await reset.handle.backfill(backfill);
    const all = await reset.results(first.length * 2);
    const outcomes = all.map(({ outcome }) => outcome);
    expect(outcomes.slice(0, first.length)).toEqual([...Array(first.length - 1).fill('past_month'), 'reset']);
    expect(outcomes.slice(first.length)).toEqual([...Array(first.length - 1).fill('past_month'), 'already_reset']);
    const { rows } = await sql<{
      used: number;
    }>`select used_tokens::int as used from periods where account_id = ${accountId} order by starts_at`.execute(
      stack.db.database.sql,
    );
    expect(rows).toEqual([{ used: 40_000 }, { used: 0 }]);
  });

  test('that finds the closed period unused deletes its schedule; the next debit arms it again', async () => {
    await send();
    await putAt(0);
    const { rows } = await sql`select 1 from periods where account_id = ${accountId}`.execute(stack.db.database.sql);
    expect(rows).toHaveLength(1);
    await reset.handle.trigger();
    expect(await reset.results(1)).toMatchObject([{ outcome: 'already_reset', closedUsedTokens: 0, disarmed: true }]);
    expect(await reset.exists()).toBe(false);
    expect((await send()).events).toBe(19);
    expect(await reset.exists()).toBe(true);
  });
});

describe('a check', () => {
  test('disarms itself below 90 %; the next write at 90 % arms it again', async () => {
    await putAt(92);
    await alert.results(1);
    await buy(50_000);
    await alert.fire();
    expect((await alert.results(2))[1]).toMatchObject({ outcome: 'below', disarmed: true });
    expect(await alert.exists()).toBe(false);
    expect(await remembered()).toMatchObject({ alert: null });
    await putAt(93);
    expect(await alert.exists()).toBe(true);
  });

  test('fired seven times at once, by trigger and backfill, sends once', async () => {
    await putAt(50);
    await writeAt(92);
    await stack.planner.arm('alert', {
      userId: person.userId,
      timeZone: 'Asia/Seoul',
      periodEndsAt: Date.now() + 86_400_000,
    });
    await alert.handle.backfill({
      start: new Date(Date.now() - 6 * 3_600_000),
      end: new Date(),
      overlap: ScheduleOverlapPolicy.ALLOW_ALL,
    });
    const outcomes = (await alert.results(7)).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'sent')).toHaveLength(1);
    expect(await sentLevels()).toEqual(['WARNING']);
  });

  test('past its end is still there and never fires again, until the next period arms it anew', async () => {
    const real = Date.now();
    now = () => real - 40 * 86_400_000;
    await putAt(92);
    expect(await alert.results(1)).toMatchObject([{ outcome: 'sent', level: 'WARNING' }]);
    expect(await alert.handle.describe()).toMatchObject({ info: { nextActionTimes: [] } });
    now = Date.now;
    await putAt(50);
    expect(await alert.handle.describe()).toMatchObject({ info: { nextActionTimes: [] } });
    const { body } = await putAt(92);
    const { spec, info } = await alert.handle.describe();
    expect(spec.endAt?.toISOString()).toBe(body.period.end);
    // In the last hour of a month no firing is left.
    const none = real + 3_700_000 > Date.parse(body.period.end) ? real : Infinity;
    expect(info.nextActionTimes[0]?.getTime() ?? none).toBeLessThanOrEqual(real + 3_700_000);
    await until(async () => (await sentLevels()).length === 2);
  });
});

describe('races', () => {
  /** The real planner, with something that happens just before it deletes. */
  const meanwhile = (happens: () => Promise<unknown>): Planner => ({
    ...stack.planner,
    async disarm(kind, userId) {
      await happens();
      await stack.planner.disarm(kind, userId);
    },
  });

  async function brink(): Promise<void> {
    await putAt(92);
    await alert.results(1);
    await buy(50_000);
    // What the check's own run does before it deletes.
    expect(
      (await checkUsage(stack.db.database, { accountId, purchaseUrl: 'https://shop.example', outward })).outcome,
    ).toBe('below');
  }

  test('armed while being disarmed: the schedule is there in the end, and remembered', async () => {
    await brink();
    const planner = meanwhile(() => putAt(95));
    expect(
      await disarmSchedule({ database: stack.db.database, planner }, 'alert', {
        accountId,
        userId: person.userId,
      }),
    ).toEqual(['alert']);
    expect(await alert.exists()).toBe(true);
    expect(await remembered()).toMatchObject({ alert: 'CRITICAL' });
  });

  test('the naive way, which deletes and does not read again, loses it: the test can fail', async () => {
    await brink();
    await meanwhile(() => putAt(95)).disarm('alert', person.userId);
    expect(await alert.exists()).toBe(false);
    expect(await remembered()).toMatchObject({ alert: 'CRITICAL' });
  });

  test('armed, then bought below 90 % and disarmed before the arming is remembered: it is not remembered, so the next write arms', async () => {
    await putAt(50);
    await writeAt(92);
    const planner: Planner = {
      ...stack.planner,
      async arm(kind, account) {
        await stack.planner.arm(kind, account);
        if (kind !== 'alert') return;
        await buy(50_000);
        await checkUsage(stack.db.database, { accountId, purchaseUrl: 'https://shop.example', outward });
        await disarmSchedule(arming(), 'alert', { accountId, userId: person.userId });
      },
    };
    await armSchedules({ database: stack.db.database, planner }, { accountId });
    expect(await remembered()).toMatchObject({ alert: null });
    await putAt(93);
    expect(await alert.exists()).toBe(true);
  });

  test('purchases, debits and checks at once: whoever needs a check in the end has one armed', async () => {
    await putAt(92);
    for (let round = 0; round < 6; round++) {
      const percent = round % 2 === 0 ? 91 : 60;
      await Promise.all([
        putAt(percent),
        buy(100),
        alert.handle.trigger().catch(() => {}),
        putAt(94),
        alert.handle.trigger().catch(() => {}),
        buy(1),
      ]);
    }
    const { body } = await putAt(96);
    expect(body.level).toBe('CRITICAL');
    await until(async () => (await alert.find())?.info.runningActions.length === 0);
    expect(await alert.exists()).toBe(true);
    const levels = await sentLevels();
    expect(levels).toHaveLength(new Set(levels).size);
  });
});
