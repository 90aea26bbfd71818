import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { REPAIR_SCHEDULES_ID, turnWorkflowId } from '../../workflows/contract/ids.ts';
import { readEvents } from '../support/events.ts';
import { TestSchedule } from '../support/schedules.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { tapPostgres, tapRedis, type Tap } from '../support/tap.ts';

/**
 * What a turn costs the servers behind it, counted and never timed, so that a change which adds a round trip to every
 * turn is seen here. The bounds are above what was measured for a whole turn streamed to its reader: 19.5 statements,
 * 9.2 commands and 3.9 to 4.5 calls on a busy machine.
 */
const TURNS = 10;
const MOST = {
  statements: 21,
  transactions: 2,
  redisCommands: 10,
  historyEvents: 13,
  temporalCalls: 5,
};
const HERE = { accept: 'text/event-stream' };

let postgres: Tap;
let redis: Tap;
let stack: TestStack;
let person: Person;
beforeAll(async () => {
  [postgres, redis] = [
    await tapPostgres(process.env['TEST_DATABASE_URL'] ?? ''),
    await tapRedis(process.env['TEST_REDIS_URL'] ?? ''),
  ];
  const direct = process.env['TEST_DATABASE_URL'];
  process.env['TEST_DATABASE_URL'] = postgres.url;
  // No other file uses this Redis database, and reconcile and the probes are quiet meanwhile.
  stack = await startTestStack({ REDIS_URL: `${redis.url}/250` });
  process.env['TEST_DATABASE_URL'] = direct;
  // A new stack repairs schedules at once. It would look again, with a transaction each, at accounts whose schedules
  // are being made meanwhile.
  await new TestSchedule(stack, REPAIR_SCHEDULES_ID).results(1);
  person = await stack.person();
  for (let i = 0; i < 3; i += 1) await ask();
});
afterAll(async () => {
  await stack.close();
  await Promise.all([postgres.close(), redis.close()]);
});

async function ask(): Promise<{ turnId: string; deltas: number }> {
  const events = await readEvents(
    await person.raw('POST', '/api/chat/send', { message: '안녕', maxOutputTokens: 300 }, HERE),
  );
  expect(events.at(-1)).toMatchObject({ event: 'completed' });
  return { turnId: events[0]?.data.turnId, deltas: events.filter(({ event }) => event === 'delta').length };
}

/** The SDK's calls to the server so far, including long polls and heartbeats. */
async function temporalCalls(): Promise<number> {
  const lines = (await stack.metrics.render())
    .split('\n')
    .filter(
      (line) => /^temporal_request(_total)?\{/.test(line) && !line.includes('Poll') && !line.includes('Schedule'),
    );
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

test('a turn costs PostgreSQL, Redis and Temporal no more than was reached', async () => {
  const before = await temporalCalls();
  postgres.take();
  redis.take();
  const turns: string[] = [];
  for (let i = 0; i < TURNS; i += 1) turns.push((await ask()).turnId);
  const statements = postgres.take();
  const commands = redis.take().filter((name) => name !== 'PING');
  const calls = (await temporalCalls()) - before;
  const histories = await Promise.all(
    turns.map((turnId) =>
      stack.temporal.client.workflow.getHandle(turnWorkflowId(person.userId, turnId)).fetchHistory(),
    ),
  );
  const cost = {
    statements: statements.length / TURNS,
    transactions: statements.filter((text) => text === 'commit').length / TURNS,
    redisCommands: commands.length / TURNS,
    historyEvents: Math.max(...histories.map(({ events }) => events?.length ?? 0)),
    temporalCalls: calls / TURNS,
  };
  for (const [what, most] of Object.entries(MOST)) {
    const seen = cost[what as keyof typeof cost] as number | undefined;
    if (seen !== undefined) expect([what, seen, seen > 0 && seen <= most]).toEqual([what, seen, true]);
  }
});

test('a long answer costs Redis one command an entry, which writes and publishes it', async () => {
  stack.model.next({ chunks: { count: 100, text: ' 토큰' }, delayMs: 5 });
  redis.take();
  const { deltas } = await ask();
  const commands = redis.take().filter((name) => name !== 'PING');
  expect(deltas).toBeGreaterThan(3);
  // Of a whole turn's commands two are those of its entries.
  expect(commands.length).toBeLessThanOrEqual(deltas + MOST.redisCommands - 2);
});
