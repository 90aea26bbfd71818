import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Gate } from '../fake-model/scenario.ts';
import { until } from '../support/until.ts';
import type { Program } from './program.ts';
import { faultsOf } from './reader.ts';
import { openCrashStage, type CrashStage } from './stage.ts';
import { ANSWER, CrashTurn, mismatches, moneyFaultsOf } from './turn.ts';

/**
 * A worker is stopped (SIGSTOP) under streams for longer than its heartbeats may be away, and so is its machine's side
 * of every wait for a task: Temporal goes on giving it tasks, and takes each for lost. When it wakes up (SIGCONT), all
 * of its turns stream from another worker, and it begins with the tasks that it was given (G37).
 */
let stage: CrashStage;
let sleeper: Program;
let turns: CrashTurn[];
const gates: Gate[] = [];

interface Attempt {
  readonly number: number;
  readonly state: string;
  readonly temporalAttempt: number;
  /** In milliseconds. */
  readonly endedAt: number | null;
}

async function attemptsOf({ turnId }: CrashTurn): Promise<Attempt[]> {
  const { rows } = await sql<Attempt>`select number, state, temporal_attempt as "temporalAttempt",
    (extract(epoch from ended_at) * 1000)::float8 as "endedAt" from attempts where turn_id = ${turnId} order by number`.execute(
    stage.db.database.sql,
  );
  return rows;
}

/** Its next call streams two words, and waits. */
function held(turn: CrashTurn): Gate {
  const gate = turn.gate(3);
  gates.push(gate);
  return gate;
}

beforeAll(async () => {
  stage = await openCrashStage();
  [, sleeper] = await Promise.all([stage.start('api'), stage.start('worker', { MODEL_SILENCE_SECONDS: '1800' })]);
  turns = await Promise.all(Array.from({ length: 8 }, (_, i) => CrashTurn.of(stage, `sleeps ${i}`)));
  await Promise.all(
    turns.map((turn) => {
      const gate = held(turn);
      turn.ask();
      return gate.reached;
    }),
  );
  sleeper.signal('SIGSTOP');
  const taken = turns.map((turn) => held(turn).reached);
  await stage.start('worker', { MODEL_SILENCE_SECONDS: '1800' });
  await Promise.all(taken);
  // Some of their tasks went to the sleeper first: those are what it wakes up with.
  const late = await Promise.all(turns.map(async (turn) => (await attemptsOf(turn)).at(-1)?.temporalAttempt ?? 0));
  expect(Math.max(...late)).toBeGreaterThan(2);
  const wokeAt = Date.now();
  sleeper.signal('SIGCONT');
  // It ends its own calls, of which Temporal tells it that nobody waits for them.
  await until(async () => {
    const first = await Promise.all(turns.map(async (turn) => (await attemptsOf(turn))[0]));
    return first.every((attempt) => (attempt?.endedAt ?? 0) > wokeAt);
  });
  for (const gate of gates) gate.open();
}, 180_000);

afterAll(async () => {
  sleeper?.signal('SIGCONT');
  await stage?.close();
});

describe('a worker that wakes up late', () => {
  test('opens no attempt, so every turn is answered by the worker that had it meanwhile, and charged once', async () => {
    for (const turn of turns) {
      const facts = await turn.facts();
      const expected = { state: 'completed', content: ANSWER.join(''), isCharged: true, calls: 2 } as const;
      expect([turn.question, moneyFaultsOf(facts, expected)]).toEqual([turn.question, []]);
      expect(faultsOf(turn.events, facts)).toEqual([]);
      expect(turn.events.filter(({ event }) => event === 'restarted')).toHaveLength(1);
      expect((await attemptsOf(turn)).map(({ state }) => state)).toEqual(['lost', 'answered']);
    }
  });

  test('leaves every counter equal to its ledger', async () => {
    expect(await mismatches(stage)).toBe(0);
  });
});
