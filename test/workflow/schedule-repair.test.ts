import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { compareSchedules, mendSchedules, type ScheduleDifference } from '../../operations/repair-schedules.ts';
import { REPAIR_SCHEDULES_ID } from '../../workflows/contract/ids.ts';
import { runCommand } from '../support/cli.ts';
import { TestSchedule } from '../support/schedules.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let daily: TestSchedule;
beforeAll(async () => {
  stack = await startTestStack();
  daily = new TestSchedule(stack, REPAIR_SCHEDULES_ID);
  // The first run, at the stack's start, must not repair what is planted here.
  await daily.results(1);
});
afterAll(() => stack.close());

const arming = () => ({ database: stack.db.database, planner: stack.planner });
const compare = async () => (await compareSchedules(arming())).differences;
const putAt = (person: Person, percent: number) =>
  person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: percent });
const faults = (differences: readonly ScheduleDifference[]) =>
  differences.map(({ userId, kind, fault }) => `${userId} ${kind} ${fault}`).sort();

/** Makes six people: one for each way in which schedules and accounts can disagree, and one for whom they agree. */
async function disagree(): Promise<string[]> {
  const [missing, moved, early, gone, over, unrecorded, right] = (await Promise.all(
    Array.from({ length: 7 }, () => stack.person()),
  )) as [Person, Person, Person, Person, Person, Person, Person];
  for (const person of [missing, moved, early, gone, over, unrecorded, right]) await putAt(person, 92);
  await Promise.all(
    [missing, moved, early, gone, over, unrecorded, right].map(({ userId }) =>
      TestSchedule.ofUser(stack, 'alert', userId).results(1),
    ),
  );
  // These were deleted by hand, or with Temporal's data.
  await TestSchedule.ofUser(stack, 'reset', missing.userId).handle.delete();
  await TestSchedule.ofUser(stack, 'alert', missing.userId).handle.delete();
  // A time zone was written without the API; an hour and an end were changed in the Temporal UI.
  await sql`update accounts set time_zone = 'Asia/Kathmandu' where user_id = ${moved.userId}`.execute(
    stack.db.database.sql,
  );
  await TestSchedule.ofUser(stack, 'alert', early.userId).handle.update((previous) => ({
    ...previous,
    spec: { ...previous.spec, endAt: new Date() },
  }));
  // One schedule's user no longer exists, and one user fell below 90 % after the last firing.
  await stack.planner.arm('reset', { userId: 999_999, timeZone: 'Asia/Seoul', periodEndsAt: 0 });
  await stack.planner.arm('alert', { userId: over.userId, timeZone: 'Asia/Seoul', periodEndsAt: Date.now() - 1 });
  await TestSchedule.ofUser(stack, 'alert', over.userId).results(2);
  await sql`update periods set used_tokens = 10, spent_allowance_tokens = 10, alert_armed = null where account_id = (select id from accounts where user_id = ${over.userId})`.execute(
    stack.db.database.sql,
  );
  await sql`update periods set reset_armed = false, alert_armed = null where account_id = (select id from accounts where user_id = ${unrecorded.userId})`.execute(
    stack.db.database.sql,
  );
  return [
    `${missing.userId} reset missing`,
    `${missing.userId} alert missing`,
    `${moved.userId} reset mistimed`,
    `${early.userId} alert mistimed`,
    '999999 reset needless',
    `${over.userId} alert needless`,
    `${unrecorded.userId} reset unrecorded`,
    `${unrecorded.userId} alert unrecorded`,
  ].sort();
}

test('a schedule below 90 % that its own next run will delete is no difference', async () => {
  const person = await stack.person();
  await putAt(person, 92);
  await putAt(person, 10);
  expect(await compare()).toEqual([]);
});

test('finds every way in which schedules and accounts disagree, mends each, and then finds none', async () => {
  const planted = await disagree();
  const differences = await compare();
  expect(faults(differences)).toEqual(planted);
  expect(await mendSchedules(arming(), differences)).toBe(planted.length);
  expect(await compare()).toEqual([]);
});

test('the daily run mends and reports; it is armed for every day', async () => {
  const planted = await disagree();
  expect(await daily.handle.describe()).toMatchObject({
    spec: { intervals: [{ every: 86_400_000 }] },
    policies: { overlap: 'SKIP', catchupWindow: 86_400_000 },
    action: { workflowExecutionTimeout: 7_200_000 },
  });
  const { workflowId, runId } = await daily.fire();
  expect(await stack.temporal.client.workflow.getHandle(workflowId, runId).result()).toMatchObject({
    missing: 2,
    mistimed: 2,
    needless: 2,
    unrecorded: 2,
    mended: planted.length,
  });
  expect(await compare()).toEqual([]);
});

describe('turnkeeper schedules', () => {
  test('check says what differs and exits with 2, repair mends it with 0, check then agrees with 0', async () => {
    const person = await stack.person();
    await putAt(person, 92);
    const { handle } = TestSchedule.ofUser(stack, 'reset', person.userId);
    await handle.delete();
    const [check, shown] = await Promise.all([turnkeeper('check', '--json'), turnkeeper('check')]);
    expect(check.status).toBe(2);
    expect(JSON.parse(check.stdout)).toMatchObject({
      differences: [
        {
          kind: 'reset',
          userId: person.userId,
          fault: 'missing',
          wanted: 'monthly on day 1 at 04:05 Asia/Seoul',
          found: null,
        },
      ],
    });
    const table = shown.stdout.split('\n');
    expect(table[0]).toMatch(/^user +schedule +fault +wanted +found$/);
    expect(table[1]).toMatch(
      new RegExp(`^${person.userId} +reset +missing +monthly on day 1 at 04:05 Asia/Seoul +none$`),
    );
    const repair = await turnkeeper('repair', '--json');
    expect([repair.status, JSON.parse(repair.stdout).mended]).toEqual([0, 1]);
    expect((await handle.describe()).spec.timezone).toBe('Asia/Seoul');
    const again = await turnkeeper('check');
    expect([again.status, again.stdout]).toEqual([0, expect.stringContaining('they agree')]);
  });
});

function turnkeeper(...args: string[]) {
  return runCommand(stack, ['schedules', ...args]);
}
