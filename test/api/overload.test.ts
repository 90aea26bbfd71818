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
      return new Map([[0, counts.live]]);
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
  for (let i = 1; i <= people; i += 1) {
    const arrival = gate.arrive(1_000 + i);
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

test('a look refuses as entering would, takes no place, and says nothing where all that is known is old', async () => {
  const { gate, clock } = openGate({ limit: 30, live: 25 });
  expect(() => gate.arrive(1).look()).not.toThrow();
  const inside = await burst(gate, 5);
  const late = gate.arrive(1);
  expect(() => late.look()).toThrow('overloaded');
  inside.forEach((arrival) => arrival.leave());
  clock.ms += 251;
  expect(() => late.look()).not.toThrow();
  await late.enter();
  expect(gate.starting().now).toBe(1);
});

test('a place is taken once and given back once, whatever is called how often', async () => {
  const { gate } = openGate();
  const arrival = gate.arrive(1);
  await arrival.enter();
  await arrival.enter();
  expect(gate.starting().now).toBe(1);
  arrival.decided();
  arrival.leave();
  arrival.decided();
  expect(gate.starting().now).toBe(0);
});

/** Sends so many turns of one account. @returns those who were let in, and the codes of the others. */
async function flood(gate: OverloadGate, accountId: number, turns: number) {
  const [inside, codes]: [Arrival[], Set<string>] = [[], new Set()];
  for (let i = 0; i < turns; i += 1) {
    const arrival = gate.arrive(accountId);
    const error: unknown = await arrival.enter().catch((refused: unknown) => refused);
    if (error === undefined) inside.push(arrival);
    else codes.add((error as { code: string }).code);
    // Started at once, so that only the live turns bound.
    arrival.decided();
  }
  return { entered: inside.length, codes: [...codes] };
}

test.each([
  [1, 250],
  [2, 166],
  [9, 50],
])('%i greedy accounts get %i of 500 places each, and there is room for the next', async (greedy, each) => {
  const { gate } = openGate();
  let entered = 0;
  for (let round = 0; round < 300; round += 1)
    for (let account = 1; account <= greedy; account += 1) {
      const turn = await flood(gate, account, 1);
      if (account === 1) entered += turn.entered;
    }
  const next = await flood(gate, 99, 10);
  expect(next).toEqual({ entered: 10, codes: [] });
  const taken = await Promise.all(
    Array.from({ length: greedy }, async (_, index) => (await flood(gate, index + 1, 1)).codes),
  );
  expect(taken).toEqual(Array(greedy).fill(['rate_limited']));
  expect(Math.abs(entered - each)).toBeLessThanOrEqual(1);
});

test('one account that starts many turns at once leaves places to start to others', async () => {
  const { gate } = openGate();
  const inside: Arrival[] = [];
  for (let i = 0; i < 128; i += 1) {
    const arrival = gate.arrive(1);
    if (
      await arrival.enter().then(
        () => true,
        () => false,
      )
    )
      inside.push(arrival);
  }
  expect(inside).toHaveLength(96);
  expect(await burst(gate, 20)).toHaveLength(20);
});
