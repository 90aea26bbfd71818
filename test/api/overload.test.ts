import { expect, test } from '@jest/globals';
import { createOverloadGate, type Arrival, type OverloadGate } from '../../api/http/overload.ts';

function openGate(options: { limit?: number; live?: number } = {}) {
  const clock = { ms: 0 };
  const counts = { live: options.live ?? 0, asked: 0 };
  const gate = createOverloadGate({
    limit: options.limit ?? 500,
    now: () => clock.ms,
    countLive: async () => {
      counts.asked += 1;
      return counts.live;
    },
  });
  return { gate, clock, counts };
}

/**
 * Sends so many people to the gate.
 * @returns those who were let in, in order.
 */
async function burst(gate: OverloadGate, people: number): Promise<Arrival[]> {
  const inside: Arrival[] = [];
  for (let i = 0; i < people; i += 1) {
    const arrival = gate.arrive();
    const outcome = await arrival.enter().catch((error: unknown) => error);
    if (outcome === undefined) inside.push(arrival);
    else expect(outcome).toMatchObject({ name: 'AppError', code: 'overloaded' });
  }
  return inside;
}

/** Decides the arrivals one after the other, `everyMs` apart. */
function decideAll(arrivals: readonly Arrival[], clock: { ms: number }, everyMs: number): void {
  for (const arrival of arrivals) {
    clock.ms += everyMs;
    arrival.decided();
  }
}

test('of 600 turns at once, before anything is known, more than 100 start and the rest are told at once', async () => {
  const { gate } = openGate();
  const inside = await burst(gate, 600);
  expect(inside.length).toBeGreaterThanOrEqual(100);
  expect(inside.length).toBeLessThanOrEqual(150);
  expect(gate.starting()).toEqual({ now: inside.length, bound: inside.length });
});

test.each([
  [4, 220, 280],
  [10, 90, 110],
  [15, 60, 73],
])('a machine that starts a turn every %i ms lets in what it starts within a second', async (everyMs, least, most) => {
  const { gate, clock } = openGate();
  for (let i = 0; i < 20; i += 1) decideAll(await burst(gate, 60), clock, everyMs);
  expect((await burst(gate, 600)).length).toBeGreaterThanOrEqual(least);
  expect(gate.starting().bound).toBeLessThanOrEqual(most);
});

test('one turn at a time says nothing about how many could start', async () => {
  const { gate, clock } = openGate();
  const before = gate.starting().bound;
  for (let i = 0; i < 100; i += 1) decideAll(await burst(gate, 1), clock, 400);
  expect(gate.starting().bound).toBe(before);
});

test('however slow it has been, a few may start: else it could never be found faster', async () => {
  const { gate, clock } = openGate();
  for (let i = 0; i < 100; i += 1) decideAll(await burst(gate, 8), clock, 5_000);
  expect((await burst(gate, 600)).length).toBe(48);
});

test('the turns of everybody are bounded too, counted at most four times a second', async () => {
  const { gate, clock, counts } = openGate({ limit: 30, live: 25 });
  const inside = await burst(gate, 10);
  expect(inside).toHaveLength(5);
  expect(counts.asked).toBe(1);
  counts.live = 0;
  clock.ms += 251;
  inside.forEach((arrival) => arrival.leave());
  expect(await burst(gate, 10)).toHaveLength(10);
  expect(counts.asked).toBe(2);
});

test('a place is taken once and given back once, whatever is called how often', async () => {
  const { gate } = openGate();
  const arrival = gate.arrive();
  await arrival.enter();
  await arrival.enter();
  expect(gate.starting().now).toBe(1);
  arrival.decided();
  arrival.leave();
  arrival.decided();
  expect(gate.starting().now).toBe(0);
});
