import { describe, expect, test } from '@jest/globals';
import { isUnavailable } from '../../db/driver/availability.ts';
import { createLanes, LaneBusy, type Lanes } from '../../db/driver/lanes.ts';

const LONG = { withinMs: 60_000 };

/** Work that lasts until it is told to end. */
function begin(lanes: Lanes, accountId: number, withinMs = LONG.withinMs) {
  const begun = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  const state = { hasBegun: false };
  const done = lanes.enter(accountId, { withinMs }, async () => {
    state.hasBegun = true;
    begun.resolve();
    await mayEnd.promise;
  });
  done.catch(() => {});
  return { state, begun: begun.promise, done, end: mayEnd.resolve };
}

describe('the lanes of accounts', () => {
  test('an account has two places, and whoever came first has the next', async () => {
    const lanes = createLanes({ connections: 20 });
    const [first, second, third, fourth] = [1, 2, 3, 4].map(() => begin(lanes, 1));
    const other = begin(lanes, 2);
    await Promise.all([first?.begun, second?.begun, other.begun]);
    expect([third?.state.hasBegun, fourth?.state.hasBegun]).toEqual([false, false]);
    second?.end();
    await third?.begun;
    expect(fourth?.state.hasBegun).toBe(false);
    for (const each of [first, third, fourth, other]) each?.end();
    await fourth?.done;
  });

  test('a quarter of the connections stays free, however many accounts are hot', async () => {
    const lanes = createLanes({ connections: 8 });
    const six = [1, 1, 2, 2, 3, 3].map((accountId) => begin(lanes, accountId));
    await Promise.all(six.map(({ begun }) => begun));
    const seventh = begin(lanes, 4, 20);
    await expect(seventh.done).rejects.toBeInstanceOf(LaneBusy);
    six[0]?.end();
    await begin(lanes, 4).begun;
  });

  test('who waits too long is refused as if the lock had not been granted, and takes no place later', async () => {
    const lanes = createLanes({ connections: 20, atOnce: 1 });
    const first = begin(lanes, 1);
    await first.begun;
    const error: unknown = await begin(lanes, 1, 10).done.catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: '55P03' });
    expect(isUnavailable(error)).toBe(true);
    first.end();
    await begin(lanes, 1).begun;
  });

  test('work that fails gives its place back', async () => {
    const lanes = createLanes({ connections: 4, atOnce: 1 });
    for (let i = 0; i < 5; i += 1)
      await expect(lanes.enter(1, LONG, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await begin(lanes, 1).begun;
  });
});
