import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { only } from '../db/fixture.ts';
import type { Gate } from '../fake-model/scenario.ts';
import { textOf } from '../support/events.ts';
import { openProxy, type Proxy } from '../support/proxy.ts';
import { required } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { faultsOf } from './reader.ts';
import { openCrashStage, type CrashStage } from './stage.ts';
import { ANSWER, CrashTurn, mismatches, moneyFaultsOf, type Expected } from './turn.ts';

/**
 * The only worker's way to Temporal is stalled under streams for the 7 to 10 s after which Temporal takes every call
 * for lost. When it moves again, the tasks come back to the process where their calls still stream (G37).
 */
let stage: CrashStage;
let wayToTemporal: Proxy;

const ONCE: Expected = { state: 'completed', content: ANSWER.join(''), isCharged: true, calls: 1 };
const CUT: Expected = { ...ONCE, state: 'stopped', content: '안녕하세요' };
const CASES = {
  first: { name: 'streams on, and is answered by its one call', ...ONCE },
  second: { name: 'streams on beside the first', ...ONCE },
  third: { name: 'streams on beside the others', ...ONCE },
  answered: { name: 'is answered while Temporal is away, and keeps its answer', ...ONCE },
  stopped: { name: 'is stopped by its person afterwards, with what has come', ...CUT },
  cancelled: { name: 'is cancelled in the Temporal UI afterwards, with what has come', ...CUT },
} as const;
type Case = keyof typeof CASES;
const turns = {} as Record<Case, CrashTurn>;
const gates = {} as Record<Case, Gate>;

/** Temporal's number of the task that its run has now. */
async function taskOf(turn: CrashTurn): Promise<number> {
  const { raw } = await turn.workflow().describe();
  return raw.pendingActivities?.[0]?.attempt ?? 0;
}

/** Of the task that has the turn's only attempt. */
async function taskOfAttempt({ turnId }: CrashTurn): Promise<number> {
  const { task } = await only(
    stage.db.database.sql,
    sql<{ task: number }>`select temporal_attempt as task from attempts where turn_id = ${turnId}`,
  );
  return task;
}

const every = (list: readonly CrashTurn[], isSo: (turn: CrashTurn) => Promise<boolean>) =>
  until(async () => (await Promise.all(list.map(isSo))).every((so) => so));

beforeAll(async () => {
  [stage, wayToTemporal] = await Promise.all([openCrashStage(), openProxy(required('TEST_TEMPORAL_ADDRESS'))]);
  await Promise.all([
    stage.start('api'),
    stage.start('worker', { TEMPORAL_ADDRESS: wayToTemporal.address, MODEL_SILENCE_SECONDS: '1800' }),
  ]);
  await Promise.all(
    (Object.keys(CASES) as Case[]).map(async (key) => {
      const turn = (turns[key] = await CrashTurn.of(stage, CASES[key].name));
      gates[key] = await turn.askUpTo(3);
      await turn.reader.seen((events) => textOf(events) === '안녕하세요');
    }),
  );
  const { answered, ...others } = turns;
  const all = Object.values(others);
  wayToTemporal.stall();
  gates.answered.open();
  await answered.becomes(({ answerAttempt }) => answerAttempt === 1);
  await every([answered, ...all], async (turn) => (await taskOf(turn)) > 1);
  await wayToTemporal.heal();
  await every(all, async (turn) => (await taskOfAttempt(turn)) > 1);
  expect((await turns.stopped.stop()).status).toBe(202);
  await turns.cancelled.workflow().cancel();
  await Promise.all([turns.stopped.reader.ended, turns.cancelled.reader.ended]);
  for (const gate of Object.values(gates)) gate.open();
});

afterAll(async () => {
  await stage?.close();
  await wayToTemporal?.close();
});

describe('a turn whose worker could not reach Temporal for some seconds', () => {
  test.each((Object.keys(CASES) as Case[]).map((key) => [CASES[key].name, key] as const))('%s', async (_, key) => {
    const turn = turns[key];
    const facts = await turn.facts();
    expect(moneyFaultsOf(facts, CASES[key])).toEqual([]);
    expect(faultsOf(turn.events, facts)).toEqual([]);
    expect(turn.events.filter(({ event }) => event === 'restarted')).toEqual([]);
    expect((await turn.row()).attempts).toHaveLength(1);
  });

  test('leaves every counter equal to its ledger', async () => {
    expect(await mismatches(stage)).toBe(0);
  });
});
