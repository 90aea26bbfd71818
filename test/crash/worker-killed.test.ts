import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { textOf } from '../support/events.ts';
import { stepOn, type RowLock } from '../support/lock.ts';
import { openProxy, type Proxy } from '../support/proxy.ts';
import { required } from '../support/stack.ts';
import { until } from '../support/until.ts';
import type { Program } from './program.ts';
import { faultsOf } from './reader.ts';
import { openCrashStage, type CrashStage } from './stage.ts';
import { ANSWER, CrashTurn, mismatches, moneyFaultsOf, type Expected } from './turn.ts';

/**
 * One worker is brought to many points of different turns at once, each held there by a row lock of the test or by the
 * model, and killed with SIGKILL. Its path to Temporal is stalled first, so that some finished steps cannot be
 * reported. Then another worker starts.
 */
let stage: CrashStage;
let wayToTemporal: Proxy;
const turns = new Map<string, CrashTurn>();

const WHOLE = ANSWER.join('');
const COMPLETED: Expected = { state: 'completed', content: WHOLE, isCharged: true, calls: 1 };
const CASES: Record<string, Expected & { readonly restarts: number }> = {
  'before the hold': { ...COMPLETED, restarts: 0 },
  'after the hold, before Temporal knows of it': { ...COMPLETED, restarts: 0 },
  // The one statement that opens an attempt, or stores an answer, waits for the account's lock, and PostgreSQL finishes
  // it for the dead worker: as if that had died a moment later, before its call, or before it settled.
  'after the hold, before the model call': { ...COMPLETED, restarts: 1 },
  'in mid-stream': { ...COMPLETED, calls: 2, restarts: 1 },
  'after the stream, while its answer is stored': { ...COMPLETED, restarts: 0 },
  'after the stream, before settle': { ...COMPLETED, restarts: 0 },
  'after settle, before Temporal knows of it': { ...COMPLETED, restarts: 0 },
  'in mid-stream, and its person stops it before another worker comes': {
    state: 'stopped',
    content: '',
    isCharged: false,
    calls: 1,
    restarts: 1,
  },
  'after the release of a failed turn, before Temporal knows of it, and its person retries at once': {
    ...COMPLETED,
    calls: 2,
    restarts: 1,
  },
  'after the refusal of a turn, before Temporal knows of it, and its person sends it again at once': {
    ...COMPLETED,
    restarts: 0,
  },
};

async function turn(name: keyof typeof CASES): Promise<CrashTurn> {
  const made = await CrashTurn.of(stage, name);
  turns.set(name, made);
  return made;
}

/** Holds the turn's account until the worker asks for its first lock after `ask`. */
async function untilLocked(crashed: CrashTurn, ask: () => void): Promise<RowLock> {
  const lock = await crashed.lockAccount();
  ask();
  await until(() => lock.isWanted());
  return lock;
}

/** Held by the model, in the middle of what it says. */
async function inMidStream(name: keyof typeof CASES): Promise<null> {
  const crashed = await turn(name);
  await crashed.askUpTo(3);
  await crashed.reader.seen((events) => textOf(events) === '안녕하세요');
  return null;
}

const TO_THE_POINT = {
  async beforeTheHold() {
    const crashed = await turn('before the hold');
    return untilLocked(crashed, () => crashed.ask());
  },
  async held() {
    const crashed = await turn('after the hold, before the model call');
    const lock = await stepOn(await untilLocked(crashed, () => crashed.ask()));
    expect(await crashed.row()).toMatchObject({ state: 'accepted', liveHolds: 1, attempts: [] });
    return lock;
  },
  midStream: () => inMidStream('in mid-stream'),
  midStreamToBeStopped: () => inMidStream('in mid-stream, and its person stops it before another worker comes'),
  async streamed() {
    const crashed = await turn('after the stream, while its answer is stored');
    const gate = await crashed.askUpTo('finish');
    const lock = await untilLocked(crashed, () => gate.open());
    await crashed.reader.seen((events) => textOf(events) === WHOLE);
    expect(await crashed.row()).toMatchObject({ state: 'running', answerAttempt: null, attempts: ['open'] });
    return lock;
  },
  async stored() {
    const crashed = await turn('after the stream, before settle');
    const gate = await crashed.askUpTo('finish');
    const lock = await stepOn(await untilLocked(crashed, () => gate.open()));
    expect(await crashed.row()).toMatchObject({
      state: 'running',
      answerAttempt: 1,
      attempts: ['answered'],
      liveHolds: 1,
    });
    return lock;
  },
} satisfies Record<string, () => Promise<RowLock | null>>;

/**
 * Steps that finish while Temporal cannot be told. Each is brought to its lock, which is released when the path is
 * stalled.
 */
const UNTOLD = {
  async hold() {
    const crashed = await turn('after the hold, before Temporal knows of it');
    const lock = await untilLocked(crashed, () => crashed.ask());
    return { lock, isDone: () => crashed.becomes(({ liveHolds }) => liveHolds === 1) };
  },
  async settle() {
    const crashed = await turn('after settle, before Temporal knows of it');
    const gate = await crashed.askUpTo('finish');
    const lock = await stepOn(await untilLocked(crashed, () => gate.open()));
    return { lock, isDone: () => crashed.becomes(({ state }) => state === 'completed') };
  },
  async release() {
    const crashed = await turn(
      'after the release of a failed turn, before Temporal knows of it, and its person retries at once',
    );
    crashed.script({ status: 400 });
    // The question is sent first, because accepting it takes no lock that this holds.
    const lock = await stepOn(await stepOn(await untilLocked(crashed, () => crashed.ask())));
    return { lock, isDone: () => crashed.becomes(({ state }) => state === 'failed') };
  },
  async refusal() {
    const crashed = await turn(
      'after the refusal of a turn, before Temporal knows of it, and its person sends it again at once',
    );
    await setUsage(crashed, 105);
    const lock = await untilLocked(crashed, () => crashed.ask());
    return { lock, isDone: () => crashed.becomes(({ state }) => state === 'refused') };
  },
} as const;

async function setUsage({ person }: CrashTurn, usagePercent: number): Promise<void> {
  expect((await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent })).status).toBe(
    200,
  );
}

function of(name: keyof typeof CASES): CrashTurn {
  const found = turns.get(name);
  if (found === undefined) throw new Error(`no turn was brought to ${name}`);
  return found;
}

beforeAll(async () => {
  [stage, wayToTemporal] = await Promise.all([openCrashStage(), openProxy(required('TEST_TEMPORAL_ADDRESS'))]);
  const [, doomed]: Program[] = await Promise.all([
    stage.start('api'),
    stage.start('worker', { TEMPORAL_ADDRESS: wayToTemporal.address }),
  ]);
  // Nobody waits for a hold longer than 2 s, so those that are to wait for it come last.
  const { beforeTheHold, ...others } = TO_THE_POINT;
  const { hold, refusal, ...otherUntold } = UNTOLD;
  const heldOthers = await Promise.all(Object.values(others).map((reach) => reach()));
  const untoldOthers = await Promise.all(Object.values(otherUntold).map((reach) => reach()));
  const [first, ...waiting] = await Promise.all([beforeTheHold(), hold(), refusal()]);
  const held = [...heldOthers, first];
  const untold = [...untoldOthers, ...waiting];
  wayToTemporal.stall();
  await Promise.all(
    untold.map(async ({ lock, isDone }) => {
      await lock.release();
      await isDone();
    }),
  );
  await doomed?.kill();
  await wayToTemporal.cut();
  await Promise.all(held.map(async (lock) => lock?.release()));
  // Their runs are still open, and no worker is there to close them.
  const again = of('after the refusal of a turn, before Temporal knows of it, and its person sends it again at once');
  await setUsage(again, 0);
  again.ask();
  of('after the release of a failed turn, before Temporal knows of it, and its person retries at once').retry();
  expect((await of('in mid-stream, and its person stops it before another worker comes').stop()).status).toBe(202);
  await stage.start('worker');
});

afterAll(async () => {
  await stage?.close();
  await wayToTemporal?.close();
});

describe('a worker killed', () => {
  test.each(Object.entries(CASES))('%s', async (name, { restarts, ...expected }) => {
    const crashed = of(name);
    const facts = await crashed.facts();
    expect(moneyFaultsOf(facts, expected)).toEqual([]);
    expect(faultsOf(crashed.events, facts)).toEqual([]);
    expect(crashed.events.filter(({ event }) => event === 'restarted')).toHaveLength(restarts);
  });

  test('leaves every counter equal to its ledger', async () => {
    expect(await mismatches(stage)).toBe(0);
  });
});
