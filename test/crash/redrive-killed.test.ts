import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { redriveWorkflowId } from '../../workflows/contract/ids.ts';
import { openProxy, type Proxy } from '../support/proxy.ts';
import { required, type Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { openCrashStage, type CrashStage } from './stage.ts';
import { ANSWER, CrashTurn, mismatches } from './turn.ts';

/**
 * The worker of a redrive of sixteen turns is killed with SIGKILL in the middle of a step. Some turns are answered, one
 * streams, one is begun in PostgreSQL and not started in Temporal, the rest wait. Then another worker starts.
 */
let stage: CrashStage;
let wayToTemporal: Proxy;
let admin: Person;
let redriveId: string;
const EACH = 8;
let first: CrashTurn[];
let second: CrashTurn[];
let streaming: CrashTurn;
/** Answers and debits when the worker died. */
let before: { answered: number; debits: number };

/** Failed turns of one person, in this order. */
async function failedTurns(name: string): Promise<CrashTurn[]> {
  const person = await stage.person();
  const turns: CrashTurn[] = [];
  for (let i = 1; i <= EACH; i++) {
    const turn = new CrashTurn(stage, person, `${name} ${i}`);
    turn.script({ status: 400 });
    await turn.ask().ended;
    turns.push(turn);
  }
  return turns;
}

const read = async () => (await admin.call('GET', `/api/admin/redrives/${redriveId}`)).body;

async function count(query: ReturnType<typeof sql<{ count: number }>>): Promise<number> {
  return (await query.execute(stage.db.database.sql)).rows[0]?.count ?? -1;
}

const debits = () => count(sql`select count(*)::int as count from ledger_entries where kind = 'debit'`);
const answered = () => count(sql`select count(*)::int as count from turns where state = 'completed'`);
/** Turns that the redrive has begun and no run has. */
const begunOnly = () =>
  count(
    sql`select count(*)::int as count from redrive_turns i join turns t on t.id = i.turn_id where i.state = 'running' and t.state = 'accepted' and t.admitted_at is null`,
  );

beforeAll(async () => {
  [stage, wayToTemporal] = await Promise.all([openCrashStage(), openProxy(required('TEST_TEMPORAL_ADDRESS'))]);
  const [, doomed] = await Promise.all([
    stage.start('api'),
    stage.start('worker', { TEMPORAL_ADDRESS: wayToTemporal.address }),
  ]);
  admin = await stage.person('admin');
  first = await failedTurns('first');
  second = await failedTurns('second');
  streaming = first[2] as CrashTurn;
  const lock = await (second[0] as CrashTurn).lockAccount();
  const gate = streaming.gate(3);
  ({
    body: { redriveId },
  } = await admin.call('POST', '/api/admin/turns/replay', {
    filter: {},
    reason: 'outage',
    ratePerSecond: 50,
    confirm: 2 * EACH,
  }));
  // One step begins all of them, oldest first, and stops at the second person's locked account.
  await Promise.all([gate.reached, until(() => lock.isWanted()), until(async () => (await answered()) === EACH - 1)]);
  wayToTemporal.stall();
  await lock.release();
  await until(async () => (await begunOnly()) > 0);
  await doomed.kill();
  await wayToTemporal.cut();
  before = { answered: await answered(), debits: await debits() };
  gate.open();
  await stage.start('worker');
  await until(async () => (await read()).state === 'completed', 150_000);
}, 240_000);

afterAll(async () => {
  await stage?.close();
  await wayToTemporal?.close();
});

describe('a redrive whose worker was killed', () => {
  test('had answered some turns, and some not', () => {
    expect(before).toEqual({ answered: EACH - 1, debits: EACH - 1 });
  });

  test('is completed by another worker, with every turn in its count', async () => {
    expect(await read()).toMatchObject({
      state: 'completed',
      count: 2 * EACH,
      progress: {
        completed: 2 * EACH,
        failed: 0,
        stopped: 0,
        running: 0,
        waiting: 0,
        skipped: { superseded: 0, suspended: 0, busy: 0, not_failed: 0, api: 0, erased: 0 },
      },
    });
    // The row changes before the workflow closes.
    const workflow = stage.temporal.client.workflow.getHandle(redriveWorkflowId(redriveId));
    await workflow.result();
    expect((await workflow.describe()).status.name).toBe('COMPLETED');
  });

  test('has each turn answered and debited once, by one replay; the one that streamed alone cost a second call', async () => {
    for (const turn of [...first, ...second]) {
      const { state, content, debits: booked, liveHolds, calls } = await turn.facts();
      expect([turn.question, { state, content, debits: booked.length, liveHolds, calls }]).toEqual([
        turn.question,
        { state: 'completed', content: ANSWER.join(''), debits: 1, liveHolds: 0, calls: turn === streaming ? 3 : 2 },
      ]);
      // The server's lists are up to a second late.
      const replays = async () =>
        (await stage.temporal.client.workflow.count(`WorkflowId = "${turn.workflow().workflowId}" AND Replayed = true`))
          .count;
      await until(async () => (await replays()) > 0);
      expect(await replays()).toBe(1);
    }
    expect(await debits()).toBe(2 * EACH);
  });

  test('leaves every counter equal to its ledger', async () => {
    expect(await mismatches(stage)).toBe(0);
  });
});
