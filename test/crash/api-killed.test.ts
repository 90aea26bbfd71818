import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Gate } from '../fake-model/scenario.ts';
import { textOf } from '../support/events.ts';
import { openProxy, type Proxy } from '../support/proxy.ts';
import { required } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { faultsOf } from './reader.ts';
import { openCrashStage, type CrashStage } from './stage.ts';
import { ANSWER, CrashTurn, mismatches, moneyFaultsOf, type Expected } from './turn.ts';

/**
 * One API process is brought to many points of different turns at once and killed with SIGKILL. Its path to Temporal is
 * stalled, so that starts are lost. The worker lives on. For a while no API runs; then another one starts, and the
 * readers come back to it.
 */
let stage: CrashStage;
let wayToTemporal: Proxy;

const ONCE: Expected = { state: 'completed', content: ANSWER.join(''), isCharged: true, calls: 1 };
const CASES = {
  sentAgain: 'after it stored a turn, before its start, and its person sends it again',
  notSentAgain: 'after it stored a turn, before its start, and nobody sends it again',
  untold: 'after the start, before it knows of it, and its person sends it again',
  streaming: 'while it streams, and the turn goes on',
  streamingToTheEnd: 'while it streams, and the turn ends before another API is there',
} as const;
const turns = {} as Record<keyof typeof CASES, CrashTurn>;

/** The turn is stored, but its start never reaches Temporal. */
async function storeOnly(turn: CrashTurn): Promise<void> {
  turn.ask();
  await until(
    async () =>
      (await sql`select 1 from turns where id = ${turn.turnId}`.execute(stage.db.database.sql)).rows.length === 1,
  );
}

/**
 * The reader has the first two pieces. The model is held after them and before the finish reason, until the test opens
 * the gates.
 */
async function stream(turn: CrashTurn): Promise<{ text: Gate; finish: Gate }> {
  const [text, finish] = [new Gate(3), new Gate('finish')];
  turn.script({ gate: [text, finish] }).ask();
  await turn.reader.seen((events) => textOf(events) === '안녕하세요');
  return { text, finish };
}

async function isQuiet({ turnId }: CrashTurn): Promise<boolean> {
  const { rows } =
    await sql`select 1 from turns where id = ${turnId} and touched_at < now() - interval '1 second'`.execute(
      stage.db.database.sql,
    );
  return rows.length === 1;
}

beforeAll(async () => {
  [stage, wayToTemporal] = await Promise.all([openCrashStage(), openProxy(required('TEST_TEMPORAL_ADDRESS'))]);
  const [doomed] = await Promise.all([
    stage.start('api', { TEMPORAL_ADDRESS: wayToTemporal.address }),
    stage.start('worker'),
  ]);
  await Promise.all(
    Object.entries(CASES).map(async ([key, name]) => {
      turns[key as keyof typeof CASES] = await CrashTurn.of(stage, name);
    }),
  );
  const { sentAgain, notSentAgain, untold, streaming, streamingToTheEnd } = turns;
  const [goesOn, ends] = await Promise.all([stream(streaming), stream(streamingToTheEnd)]);

  wayToTemporal.stall('answers');
  const started = await untold.askUpTo(3);
  wayToTemporal.stall();
  await Promise.all([storeOnly(sentAgain), storeOnly(notSentAgain)]);
  await doomed.kill();
  await wayToTemporal.cut();
  await Promise.all([sentAgain, notSentAgain, untold].map(({ reader }) => expect(reader.ended).rejects.toThrow()));
  expect(await Promise.all([sentAgain, notSentAgain, untold].map((turn) => turn.isStarted()))).toEqual([
    false,
    false,
    true,
  ]);

  for (const gate of [goesOn.text, ends.text, ends.finish]) gate.open();
  await Promise.all([goesOn.finish.reached, streamingToTheEnd.becomes(({ state }) => state === 'completed')]);
  expect([streaming, streamingToTheEnd].map(({ events }) => textOf(events))).toEqual(['안녕하세요', '안녕하세요']);

  await stage.start('api');
  await streaming.reader.seen((events) => textOf(events) === ONCE.content);
  goesOn.finish.open();
  untold.ask();
  await untold.reader.seen((events) => textOf(events) === '안녕하세요');
  started.open();
  await sentAgain.ask().ended;

  // Only this turn is left for reconcile, which finds it while its person waits.
  notSentAgain.lookOn();
  await until(() => isQuiet(notSentAgain));
  expect(await notSentAgain.isStarted()).toBe(false);
  await stage.reconcile();
});

afterAll(async () => {
  await stage?.close();
  await wayToTemporal?.close();
});

describe('an API killed', () => {
  test.each(Object.entries(CASES))('%s: %s', async (key) => {
    const crashed = turns[key as keyof typeof CASES];
    const facts = await crashed.facts();
    expect(moneyFaultsOf(facts, ONCE)).toEqual([]);
    expect(faultsOf(crashed.events, facts)).toEqual([]);
    expect(crashed.events.filter(({ event }) => event === 'restarted')).toEqual([]);
  });

  test.each(['streaming', 'streamingToTheEnd'] as const)('%s: its reader came back', (key) => {
    expect(turns[key].reader.returns).toBeGreaterThan(0);
  });

  test('leaves every counter equal to its ledger', async () => {
    expect(await mismatches(stage)).toBe(0);
  });
});
