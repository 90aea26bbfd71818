import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { retryWhileAway } from '../../activities/retry-while-away.ts';
import { attemptTimeoutMs } from '../../domain/attempt-limits.ts';

const LIMIT_MS = attemptTimeoutMs(4_000);
const AWAY = Object.assign(new Error('cannot execute INSERT in a read-only transaction'), { code: '25006' });

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** A step that finds PostgreSQL away for `awayMs`, in an attempt of 460 s. */
function step(awayMs: number, error: Error = AWAY): Promise<string> {
  const backAt = performance.now() + awayMs;
  const work = async () => {
    if (performance.now() < backAt) throw error;
    return 'stored';
  };
  return new MockActivityEnvironment({ startToCloseTimeoutMs: LIMIT_MS }).run(() => retryWhileAway(work));
}

test('an outage that is shorter than the attempt’s time limit is outlasted; a longer one is not', async () => {
  const [short, long] = [step(LIMIT_MS - 5_000), step(LIMIT_MS + 60_000)];
  const refused = expect(long).rejects.toBe(AWAY);
  await jest.advanceTimersByTimeAsync(LIMIT_MS + 10_000);
  expect(await short).toBe('stored');
  await refused;
});

test('what is no outage is told at once', async () => {
  const broken = Object.assign(new Error('duplicate key'), { code: '23505' });
  await expect(step(1_000, broken)).rejects.toBe(broken);
});
