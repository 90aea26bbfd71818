import { expect, test } from '@jest/globals';
import { figuresOfRange } from '../../domain/day-figures.ts';
import { FIRST_DELTA_BOUNDS, firstDeltaOf } from '../../domain/first-delta.ts';

const used = (day: string, model: string, change: object = {}) => ({
  day,
  model,
  turns: 1,
  promptTokens: 1_000,
  cachedTokens: 0,
  completionTokens: 1_000,
  usedTokens: 2_000,
  ...change,
});
const costs = new Map([
  ['won', { currency: 'KRW', prompt: 500_000, cached: 500_000, completion: 500_000 } as const],
  ['dollar', { currency: 'USD', prompt: 333_333, cached: 0, completion: 1 } as const],
]);

test('days have no gaps and add up to their range, models do too, and what nobody has priced is counted apart', () => {
  const facts = {
    used: [
      used('2026-02-27', 'won'),
      used('2026-02-28', 'dollar', { promptTokens: 5 }),
      used('2026-03-01', 'dollar', { promptTokens: 5, cachedTokens: 3, usedTokens: 9_000 }),
      used('2026-03-01', 'free'),
      used('2026-03-03', 'won'),
    ],
    firstDeltas: [{ day: '2026-03-01', model: 'free', belowMs: 100, turns: 1 }],
    failed: [{ day: '2026-02-28', model: 'gone', failures: 3 }],
  };
  const { total, days, models } = figuresOfRange(facts, { from: '2026-02-28', to: '2026-03-02' }, costs);
  expect(days.map(({ day, usedTokens, failures }) => [day, usedTokens, failures])).toEqual([
    ['2026-02-28', 2_000, 3],
    ['2026-03-01', 11_000, 0],
    ['2026-03-02', 0, 0],
  ]);
  expect(models.map(({ model, usedTokens, cost }) => [model, usedTokens, cost])).toEqual([
    ['dollar', 11_000, [{ currency: 'USD', micros: 2 + 1 }]],
    ['free', 2_000, []],
    ['gone', 0, []],
  ]);
  expect(total).toMatchObject({ turns: 3, usedTokens: 13_000, failures: 3, unpricedTokens: 2_000 });
  expect(total.cost).toEqual([{ currency: 'USD', micros: 3 }]);
  expect(days.map(({ firstDelta }) => firstDelta)).toEqual([null, { turns: 1, p50Ms: 50, p95Ms: 95 }, null]);
});

test('half and 95 of 100 are found within a bound of where they lie', () => {
  expect(firstDeltaOf([])).toBeNull();
  const times = Array.from({ length: 1_000 }, (_, i) => Math.round(90 * 1.006 ** i));
  const counts = times.map((ms) => ({ belowMs: FIRST_DELTA_BOUNDS.find((bound) => ms < bound)!, turns: 1 }));
  for (const [share, found] of [
    [0.5, firstDeltaOf(counts)!.p50Ms],
    [0.95, firstDeltaOf(counts)!.p95Ms],
  ] as const) {
    const exact = times[Math.floor(times.length * share)]!;
    expect([share, Math.abs(found - exact) / exact < 0.3]).toEqual([share, true]);
  }
});
