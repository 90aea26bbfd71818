import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { GrowingText } from '../../platform/growing-text.ts';
import { joinPulse, pulseMs, restMs } from '../../platform/pulse.ts';
import { StallClock } from '../../platform/stall-clock.ts';
import { until } from '../support/until.ts';

test('writers wait longer for more text as there are more of them', () => {
  expect([1, 25, 40, 199, 200, 5_000].map(pulseMs)).toEqual([25, 25, 40, 199, 200, 200]);
});

test('a beat of many streams lets other work in between, and each stream is flushed once', async () => {
  const order: string[] = [];
  const members = Array.from({ length: 60 }, (_, n) => joinPulse(() => order.push(`stream ${n}`)));
  // A stream of an earlier file in this process may be about to leave.
  await until(() => restMs() === 60);
  for (const { request } of members) request();
  for (const { request } of members) request();
  members[59]?.leave();
  const other = () => {
    order.push('other');
    if (order.length < 1_000) setImmediate(other);
  };
  setImmediate(other);
  await until(() => order.length >= 1_000);
  expect(order.filter((what) => what !== 'other')).toEqual(Array.from({ length: 59 }, (_, n) => `stream ${n}`));
  const between = order.slice(0, order.indexOf('stream 58')).filter((what) => what === 'other');
  expect(between.length).toBeGreaterThanOrEqual(3);
  for (const { leave } of members) leave();
  expect(restMs()).toBeNull();
});

test('what comes a beat after the last flush leaves at once, and what comes before waits for the beat', async () => {
  const flushed: number[] = [];
  const member = joinPulse(() => flushed.push(performance.now()));
  member.now();
  expect(flushed).toHaveLength(1);
  member.request();
  expect(flushed).toHaveLength(1);
  await until(() => flushed.length === 2);
  const [first = 0, second = 0] = flushed;
  expect(second - first).toBeGreaterThan(15);
  member.leave();
  member.request();
  await sleep(60);
  expect(flushed).toHaveLength(2);
});

test('a clock of silence goes by the last sign of life, longer or shorter, and not at all once it is stopped', async () => {
  const stalled: number[] = [];
  const clock = new StallClock(() => stalled.push(performance.now()));
  const from = performance.now();
  clock.allow(30);
  clock.allow(150);
  await until(() => stalled.length === 1);
  expect((stalled[0] ?? 0) - from).toBeGreaterThan(148);
  clock.allow(3_600_000);
  clock.allow(20);
  await until(() => stalled.length === 2);
  clock.allow(5);
  clock.stop();
  await sleep(40);
  expect(stalled).toHaveLength(2);
});

test('a text that grows by pieces is the pieces in a row', () => {
  const text = new GrowingText();
  const pieces = Array.from({ length: 1_000 }, (_, n) => (n % 7 === 0 ? '' : `${n} 토큰😀`));
  for (const [n, piece] of pieces.entries()) {
    text.push(piece);
    if (n % 97 === 0) expect(text.text).toBe(pieces.slice(0, n + 1).join(''));
  }
  expect(text.text).toBe(pieces.join(''));
  expect(text.length).toBe(text.text.length);
});
