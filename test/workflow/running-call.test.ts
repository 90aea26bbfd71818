import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { openInterruption, type Interruption } from '../../activities/interruption.ts';
import { RunningCall } from '../../activities/running-call.ts';
import type { OpenedAttempt } from '../../db/turns/attempts.ts';
import { attemptTimeoutMs } from '../../domain/attempt-limits.ts';
import type { TurnFeed } from '../../platform/streams/turn-feed.ts';
import type { Generated } from '../../workflows/contract/turn.ts';

const LIMIT_MS = attemptTimeoutMs(100);
const ANSWER: Generated = { kind: 'ended', state: 'completed' };
const SILENT = { watch: () => ({ close() {} }) } as unknown as TurnFeed;

let interruption: Interruption;
let running: RunningCall;
let answer: (generated: Generated) => void;
let ended: number;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  interruption = openInterruption(SILENT, 'turn');
  const attempt = { hold: { outputLimit: 100 } } as unknown as OpenedAttempt;
  ended = 0;
  running = new RunningCall(
    { attempt, interruption, runId: 'run-1', scheduledAt: 0 },
    () => new Promise((resolve) => (answer = resolve)),
    () => (ended += 1),
  );
});
afterEach(() => {
  jest.useRealTimers();
});

/** An activity that attends the call, and what becomes of it. */
function attend() {
  const environment = new MockActivityEnvironment();
  const outcome = environment.run(() => running.attend().catch((error: Error) => error.message));
  const cancel = (why: ConstructorParameters<typeof ActivityCancellationDetails>[0]) =>
    environment.cancel('CANCELLED', new ActivityCancellationDetails(why));
  return { outcome, lose: () => cancel({ notFound: true }), cancel };
}

const OTHERS = 'a newer run or attempt answers this turn';

describe('a model call under way', () => {
  test('outlives the activity that Temporal took for lost, and brings its answer to the next', async () => {
    const first = attend();
    await jest.advanceTimersByTimeAsync(5_000);
    first.lose();
    expect(await first.outcome).toBe(OTHERS);
    await jest.advanceTimersByTimeAsync(15_000);
    const second = attend();
    await jest.advanceTimersByTimeAsync(30_000);
    expect(interruption.why()).toBeNull();
    answer(ANSWER);
    expect(await second.outcome).toEqual(ANSWER);
    expect([ended, jest.getTimerCount()]).toEqual([1, 0]);
  });

  test('goes on for the one who came before the other knew that it was lost', async () => {
    const [first, second] = [attend(), attend()];
    first.lose();
    expect(await first.outcome).toBe(OTHERS);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(interruption.why()).toBeNull();
    answer(ANSWER);
    expect(await second.outcome).toEqual(ANSWER);
  });

  test('that nobody attends for 20 s is cut', async () => {
    const first = attend();
    first.cancel({ timedOut: true });
    expect(await first.outcome).toBe(OTHERS);
    await jest.advanceTimersByTimeAsync(19_000);
    expect(interruption.why()).toBeNull();
    await jest.advanceTimersByTimeAsync(2_000);
    expect([interruption.why(), interruption.signal.aborted]).toEqual(['lost', true]);
  });

  test('has one time limit, however many attend it one after the other', async () => {
    attend();
    await jest.advanceTimersByTimeAsync(LIMIT_MS - 1_000);
    attend();
    expect(interruption.why()).toBeNull();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(interruption.why()).toBe('timeout');
  });

  test.each([
    ['a cancel of the turn', { cancelRequested: true }, 'stop'],
    ['a worker that goes', { workerShutdown: true }, 'lost'],
    ['a pause of the activity', { paused: true }, 'lost'],
  ] as const)('is cut by %s, and its end is waited for', async (_, why, cut) => {
    const first = attend();
    first.lose();
    await first.outcome;
    const second = attend();
    second.cancel(why);
    expect(interruption.why()).toBe(cut);
    answer(ANSWER);
    expect(await second.outcome).toEqual(ANSWER);
  });
});
