import { afterEach, expect, jest, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { heartbeating } from '../../activities/heartbeat.ts';
import { HEARTBEAT_TIMEOUT_MS } from '../../domain/attempt-limits.ts';

afterEach(() => {
  jest.useRealTimers();
});

test('an activity that waits for an account says that it lives well within the timeout, and no more once it is over', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  const environment = new MockActivityEnvironment();
  let beats = 0;
  environment.on('heartbeat', () => {
    beats += 1;
  });
  let free: (answer: string) => void = () => {};
  const account = new Promise<string>((resolve) => {
    free = resolve;
  });
  const running = environment.run(() => heartbeating(() => account));
  await jest.advanceTimersByTimeAsync(HEARTBEAT_TIMEOUT_MS / 3);
  expect(beats).toBeGreaterThanOrEqual(1);
  await jest.advanceTimersByTimeAsync(3 * HEARTBEAT_TIMEOUT_MS);
  expect(beats).toBeGreaterThanOrEqual(10);
  free('free');
  expect(await running).toBe('free');
  const beatsUntilThen = beats;
  await jest.advanceTimersByTimeAsync(3 * HEARTBEAT_TIMEOUT_MS);
  expect(beats).toBe(beatsUntilThen);
});

test("a failure is the activity's own, and ends the timer too", async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  await expect(
    new MockActivityEnvironment().run(() =>
      heartbeating(async () => {
        throw new Error('no such account');
      }),
    ),
  ).rejects.toThrow('no such account');
  expect(jest.getTimerCount()).toBe(0);
});
