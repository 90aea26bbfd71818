import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { meter, outputThatFits } from '../../domain/metering.ts';
import { countPrompt } from '../../domain/prompt-tokens.ts';

const ONE_FOR_ONE = { input: 1000, cachedInput: 1000, output: 1000 };
const count = fc.integer({ min: 0, max: 2_000_000 });
const rates = fc.record({
  input: fc.integer({ min: 1, max: 50_000 }),
  cachedInput: fc.integer({ min: 1, max: 50_000 }),
  output: fc.integer({ min: 1, max: 50_000 }),
});
const usages = fc
  .record({ promptTokens: count, completionTokens: count, cachedShare: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ cachedShare, ...usage }) => ({ ...usage, cachedTokens: Math.floor(usage.promptTokens * cachedShare) }));

describe('meter', () => {
  test('one for one is prompt + completion, whatever part was cached', () => {
    fc.assert(
      fc.property(usages, (usage) => meter(usage, ONE_FOR_ONE) === usage.promptTokens + usage.completionTokens),
    );
  });

  test.each([
    [
      { promptTokens: 100, cachedTokens: 40, completionTokens: 10 },
      { input: 1000, cachedInput: 250, output: 4000 },
      60 + 10 + 40,
    ],
    // 1 × 0.001 is charged as 1: tokens with a rate are never free.
    [{ promptTokens: 1, cachedTokens: 0, completionTokens: 0 }, { input: 1, cachedInput: 1, output: 1 }, 1],
    [{ promptTokens: 500, cachedTokens: 0, completionTokens: 500 }, { input: 1, cachedInput: 1, output: 1 }, 1],
    [{ promptTokens: 500, cachedTokens: 0, completionTokens: 501 }, { input: 1, cachedInput: 1, output: 1 }, 2],
    [{ promptTokens: 0, cachedTokens: 0, completionTokens: 0 }, ONE_FOR_ONE, 0],
  ])('%j at %j is rounded up once, over the sum: %i', (usage, rate, expected) => {
    expect(meter(usage, rate)).toBe(expected);
  });

  test('it is the smallest whole number of tokens that covers the exact sum', () => {
    fc.assert(
      fc.property(usages, rates, (usage, rate) => {
        const exact =
          BigInt(usage.promptTokens - usage.cachedTokens) * BigInt(rate.input) +
          BigInt(usage.cachedTokens) * BigInt(rate.cachedInput) +
          BigInt(usage.completionTokens) * BigInt(rate.output);
        const metered = BigInt(meter(usage, rate));
        expect(metered * 1000n).toBeGreaterThanOrEqual(exact);
        expect((metered - 1n) * 1000n).toBeLessThan(exact);
      }),
    );
  });

  test.each([
    ['a negative count', { promptTokens: -1, cachedTokens: 0, completionTokens: 0 }, ONE_FOR_ONE],
    ['a fraction of a token', { promptTokens: 1.5, cachedTokens: 0, completionTokens: 0 }, ONE_FOR_ONE],
    ['not a number', { promptTokens: Number.NaN, cachedTokens: 0, completionTokens: 0 }, ONE_FOR_ONE],
    ['more cached than prompt tokens', { promptTokens: 1, cachedTokens: 2, completionTokens: 0 }, ONE_FOR_ONE],
    ['a rate of 0 for input', { promptTokens: 1, cachedTokens: 0, completionTokens: 1 }, { ...ONE_FOR_ONE, input: 0 }],
    [
      'a rate of 0 for cached input',
      { promptTokens: 1, cachedTokens: 0, completionTokens: 1 },
      { ...ONE_FOR_ONE, cachedInput: 0 },
    ],
    ['a negative rate', { promptTokens: 1, cachedTokens: 0, completionTokens: 1 }, { ...ONE_FOR_ONE, output: -1 }],
    [
      'a rate that is no integer',
      { promptTokens: 1, cachedTokens: 0, completionTokens: 1 },
      { ...ONE_FOR_ONE, output: 0.5 },
    ],
  ])('%s is refused (G14)', (_, usage, rate) => {
    expect(() => meter(usage, rate)).toThrow(RangeError);
  });

  test('the smallest legal figures are metered: the control of the refusals', () => {
    expect(
      meter({ promptTokens: 1, cachedTokens: 1, completionTokens: 0 }, { input: 1, cachedInput: 1, output: 1 }),
    ).toBe(1);
  });
});

describe('outputThatFits', () => {
  test('its answer fits the room and one token more does not', () => {
    fc.assert(
      fc.property(count, fc.integer({ min: 0, max: 20_000 }), rates, (room, promptTokens, rate) => {
        const output = outputThatFits(room, promptTokens, rate);
        if (output < 0) {
          expect(meter({ promptTokens, cachedTokens: 0, completionTokens: 0 }, rate)).toBeGreaterThan(room);
        } else {
          expect(meter({ promptTokens, cachedTokens: 0, completionTokens: output }, rate)).toBeLessThanOrEqual(room);
          expect(meter({ promptTokens, cachedTokens: 0, completionTokens: output + 1 }, rate)).toBeGreaterThan(room);
        }
      }),
    );
  });

  test('a room below 0 takes nothing', () => {
    expect(outputThatFits(-1, 0, ONE_FOR_ONE)).toBe(-1);
    expect(outputThatFits(0, 0, ONE_FOR_ONE)).toBe(0);
  });
});

test('a prompt counts its texts, 4 a message and 3 a prompt', () => {
  expect(countPrompt([])).toBe(3);
  expect(countPrompt([10])).toBe(17);
  expect(countPrompt([50, 10])).toBe(71);
});
