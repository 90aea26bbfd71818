import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { Bell } from '../../platform/bell.ts';
import { DeadlinePassed, ignoreLateness, within } from '../../platform/deadline.ts';

/** So long that a test which waits for it fails by its own limit. */
const FOR_EVER = 600_000;

test('a wait ends at the ring, also at one that came before it', async () => {
  const bell = new Bell();
  const waiting = bell.wait(FOR_EVER);
  bell.ring();
  await waiting;
  expect(bell.rung).toBe(false);
  bell.ring();
  bell.ring();
  expect(bell.rung).toBe(true);
  await bell.wait(FOR_EVER);
  expect(bell.rung).toBe(false);
  bell.close();
});

test('a wait ends by itself after its own time, whatever the wait before it was for', async () => {
  const bell = new Bell();
  for (const [before, ms] of [
    [FOR_EVER, 60],
    [20, 120],
  ] as const) {
    const interrupted = bell.wait(before);
    bell.ring();
    await interrupted;
    const began = performance.now();
    await bell.wait(ms);
    expect(performance.now() - began).toBeGreaterThanOrEqual(ms - 2);
  }
  bell.close();
});

test('a wait ends when the reader goes or the bell is closed, and leaves nothing on the signal', async () => {
  const bell = new Bell();
  const gone = new AbortController();
  const waiting = bell.wait(FOR_EVER, gone.signal);
  gone.abort();
  await waiting;
  expect(getEventListeners(gone.signal, 'abort')).toEqual([]);
  await bell.wait(FOR_EVER, gone.signal);
  const last = bell.wait(FOR_EVER);
  bell.close();
  await last;
  await bell.wait(FOR_EVER);
});

test('what comes in time is brought, what fails throws, what is late is told apart', async () => {
  expect(await within(FOR_EVER, Promise.resolve('here'))).toBe('here');
  const wrong = new Error('wrong');
  await expect(within(FOR_EVER, Promise.reject(wrong))).rejects.toBe(wrong);
  const late = within(10, sleep(100));
  await expect(late).rejects.toThrow(DeadlinePassed);
  expect(await late.catch(ignoreLateness)).toBeUndefined();
  await expect(Promise.reject(wrong).catch(ignoreLateness)).rejects.toBe(wrong);
});

test('an answer that came while this process was busy is not late', async () => {
  const channel = new MessageChannel();
  // From here the event loop handles its timers first, and only then what has arrived.
  await new Promise((resolve) => setImmediate(resolve));
  const answer = new Promise((resolve) => channel.port2.once('message', resolve));
  const waiting = within(20, answer);
  channel.port1.postMessage('in time');
  for (const busyUntil = performance.now() + 60; performance.now() < busyUntil;);
  expect(await waiting).toBe('in time');
  channel.port1.close();
});
