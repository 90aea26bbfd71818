import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { keepSlow } from '../../platform/keep-slow.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** An answer after so many milliseconds; null: none. */
function asked(...takes: (number | null)[]) {
  let finds = 0;
  const find = keepSlow(async (question: { day: string }) => {
    const ms = takes[finds] ?? null;
    finds += 1;
    await new Promise((resolve) => setTimeout(resolve, ms ?? 5_000));
    if (ms === null) throw new Error('too long');
    return `${question.day} ${finds}`;
  });
  return find;
}

test('what is found soon is found anew, and what takes long is kept for ten times as long', async () => {
  const find = asked(900, 900, 3_000, 100);
  const after = async (ms: number) => {
    const answer = find({ day: 'a' });
    await jest.advanceTimersByTimeAsync(ms);
    return answer;
  };
  expect([await after(900), await after(900), await after(3_000)]).toEqual(['a 1', 'a 2', 'a 3']);
  await jest.advanceTimersByTimeAsync(29_900);
  expect(await find({ day: 'a' })).toBe('a 3');
  await jest.advanceTimersByTimeAsync(200);
  expect(await after(100)).toBe('a 4');
});

test('who asks meanwhile waits for the same, another question is asked by itself, and a failure is not kept', async () => {
  const find = asked(2_000, 2_000, null, 10);
  const both = [find({ day: 'a' }), find({ day: 'a' }), find({ day: 'b' })];
  await jest.advanceTimersByTimeAsync(2_000);
  expect(await Promise.all(both)).toEqual(['a 2', 'a 2', 'b 2']);
  const failed = expect(find({ day: 'c' })).rejects.toThrow('too long');
  await jest.advanceTimersByTimeAsync(5_000);
  await failed;
  const again = find({ day: 'c' });
  await jest.advanceTimersByTimeAsync(10);
  expect(await again).toBe('c 4');
});
