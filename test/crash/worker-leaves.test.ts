import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Gate } from '../fake-model/scenario.ts';
import { textOf } from '../support/events.ts';
import { openProxy, type Proxy } from '../support/proxy.ts';
import { required } from '../support/stack.ts';
import { until } from '../support/until.ts';
import type { Program } from './program.ts';
import { faultsOf } from './reader.ts';
import { openCrashStage, type CrashStage } from './stage.ts';
import { ANSWER, CrashTurn, mismatches, moneyFaultsOf, type Expected } from './turn.ts';

/**
 * One worker is told to stop (SIGTERM) while turns stream, as a deploy does. The next one is suspended (SIGSTOP) for
 * longer than its heartbeats may be away and loses its connection to Temporal. It resumes (SIGCONT) with an answer that
 * another worker has given meanwhile.
 */
let stage: CrashStage;
let wayToTemporal: Proxy;
let drained: Program;
let suspended: Program;

const ONCE: Expected = { state: 'completed', content: ANSWER.join(''), isCharged: true, calls: 1 };
const CASES = {
  finished: {
    name: 'asked to go: a turn whose stream ends within the grace time is answered there, and settled by another',
    ...ONCE,
    restarts: 0,
  },
  cut: {
    name: 'asked to go: a turn that takes longer is cut, and another worker answers it',
    ...ONCE,
    calls: 2,
    restarts: 1,
  },
  meanwhile: { name: 'asked to go: a turn that is sent meanwhile is another worker’s', ...ONCE, restarts: 0 },
  suspended: {
    name: 'stopped past its heartbeat: another worker answers, and the answer it comes back with is dropped',
    ...ONCE,
    calls: 2,
    restarts: 1,
  },
} as const;
const turns = {} as Record<keyof typeof CASES, CrashTurn>;

async function streaming(turn: CrashTurn): Promise<Gate> {
  const gate = await turn.askUpTo(3);
  await turn.reader.seen((events) => textOf(events) === '안녕하세요');
  return gate;
}

const firstAttempt = async ({ turnId }: CrashTurn) =>
  (
    await sql<{ state: string; promptTokens: number | null }>`
  select state, prompt_tokens as "promptTokens" from attempts where turn_id = ${turnId} and number = 1`.execute(
      stage.db.database.sql,
    )
  ).rows[0];

beforeAll(async () => {
  [stage, wayToTemporal] = await Promise.all([openCrashStage(), openProxy(required('TEST_TEMPORAL_ADDRESS'))]);
  [, drained] = await Promise.all([stage.start('api'), stage.start('worker')]);
  await Promise.all(
    Object.entries(CASES).map(async ([key, { name }]) => {
      turns[key as keyof typeof CASES] = await CrashTurn.of(stage, name);
    }),
  );

  const [ends] = await Promise.all([streaming(turns.finished), streaming(turns.cut)]);
  drained.signal('SIGTERM');
  await until(() => drained.output().includes('"stopping"'));
  ends.open();
  await turns.finished.becomes(({ answerAttempt }) => answerAttempt === 1);
  await drained.exited;

  // Only this worker can take them. A model's silence limit must not end the call while the worker is suspended.
  suspended = await stage.start('worker', { TEMPORAL_ADDRESS: wayToTemporal.address, MODEL_SILENCE_SECONDS: '1800' });
  turns.meanwhile.ask();
  await Promise.all([turns.finished, turns.cut, turns.meanwhile].map(({ reader }) => reader.ended));
  const late = await turns.suspended.askUpTo('finish');
  await turns.suspended.reader.seen((events) => textOf(events) === ANSWER.join(''));
  suspended.signal('SIGSTOP');
  await wayToTemporal.cut();
  await stage.start('worker');
  await turns.suspended.reader.ended;
  expect(await firstAttempt(turns.suspended)).toEqual({ state: 'lost', promptTokens: null });
  late.open();
  await wayToTemporal.heal();
  suspended.signal('SIGCONT');
  await until(async () => (await firstAttempt(turns.suspended))?.promptTokens !== null);
  suspended.signal('SIGTERM');
  await suspended.exited;
}, 180_000);

afterAll(async () => {
  suspended?.signal('SIGCONT');
  await stage?.close();
  await wayToTemporal?.close();
});

describe('a worker', () => {
  test.each(Object.entries(CASES).map(([key, expected]) => [expected.name, key, expected] as const))(
    '%s',
    async (_, key, { restarts, ...expected }) => {
      const turn = turns[key as keyof typeof CASES];
      const facts = await turn.facts();
      expect(moneyFaultsOf(facts, expected)).toEqual([]);
      expect(faultsOf(turn.events, facts)).toEqual([]);
      expect(turn.events.filter(({ event }) => event === 'restarted')).toHaveLength(restarts);
    },
  );

  test('that is asked to go ends by itself, with exit code 0', async () => {
    expect(await drained.exited).toEqual({ code: 0, signal: null });
    expect(await suspended.exited).toEqual({ code: 0, signal: null });
  });

  test('that comes back too late leaves what its provider charged on its attempt, for nobody to pay', async () => {
    expect(await firstAttempt(turns.suspended)).toMatchObject({ state: 'lost', promptTokens: expect.any(Number) });
  });

  test('leaves every counter equal to its ledger', async () => {
    expect(await mismatches(stage)).toBe(0);
  });
});
