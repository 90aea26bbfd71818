import { describe, expect, test } from '@jest/globals';
import { costOf } from '../../domain/cost.ts';
import { SetupError } from '../../domain/setup-error.ts';
import { readConfig } from '../../platform/config/config.ts';

const ONE = { input: 1000, cachedInput: 1000, output: 1000 };
const entry = (change: object = {}) => ({ name: 'm', contextWindow: 1_000, maxOutputTokens: 500, ...change });
const read = (...models: object[]) => readConfig({ MODELS: JSON.stringify(models) }).models;

/** The sentence with which a start ends: `main.ts` prints it and exits with 1. */
function refusal(...models: object[]): string {
  try {
    read(...models);
    return 'taken';
  } catch (error) {
    if (error instanceof SetupError) return error.message;
    throw error;
  }
}

describe('a start is refused by a catalogue (G14)', () => {
  test.each(['input', 'cachedInput', 'output'])(
    'whose rate for %s is 0, negative, a fraction, beyond a thousandfold, missing or no number',
    (part) => {
      for (const wrong of [0, -1, 0.5, 1_000_001, undefined, null, '1000', Number.MAX_SAFE_INTEGER]) {
        expect(refusal(entry({ rate: { ...ONE, [part]: wrong } }))).toMatch(new RegExp(`^MODELS: [\\s\\S]*${part}`));
      }
    },
  );

  test('that names a model twice, has a field nobody knows, or no model', () => {
    expect(refusal(entry(), entry())).toContain('model names must be unique');
    expect(refusal(entry({ price: 1 }))).toContain('price');
    expect(refusal(entry({ rate: { ...ONE, reasoning: 1 } }))).toContain('reasoning');
    expect(refusal()).toMatch(/^MODELS: /);
  });

  test('control: rates of 1 and of a thousandfold are taken, and none given is one for one', () => {
    expect(read(entry({ rate: { input: 1, cachedInput: 1, output: 1_000_000 } }))).toMatchObject([
      { rate: { input: 1, output: 1_000_000 } },
    ]);
    expect(read(entry())).toMatchObject([{ name: 'm', rate: ONE }]);
  });
});

test('a cost is the provider’s list price for a million tokens, kept in micros and rounded once', () => {
  const dollars = { currency: 'USD', prompt: 0.4, cached: 0.025, completion: 1.6 };
  const cost = read(entry({ cost: dollars }))[0]?.cost;
  expect(cost).toEqual({ currency: 'USD', prompt: 400_000, cached: 25_000, completion: 1_600_000 });
  const million = { promptTokens: 1_000_000, cachedTokens: 400_000, completionTokens: 500_000 };
  expect(costOf(million, cost!)).toBe(240_000 + 10_000 + 800_000);
  expect(costOf({ promptTokens: 1, cachedTokens: 0, completionTokens: 0 }, cost!)).toBe(0);
  expect(costOf({ promptTokens: 2, cachedTokens: 0, completionTokens: 0 }, cost!)).toBe(1);
  const { cached: _, ...uncached } = dollars;
  expect(read(entry({ cost: uncached }))[0]?.cost?.cached).toBe(400_000);
  expect(read(entry())[0]?.cost).toBeUndefined();
  expect(readConfig({}).models.every(({ cost: listed }) => listed !== undefined)).toBe(true);

  for (const wrong of [-1, 0.1234567, 1_000_001, '1', null])
    expect(refusal(entry({ cost: { ...dollars, completion: wrong } }))).toMatch(/^MODELS: [\s\S]*completion/);
  for (const currency of ['EUR', undefined])
    expect(refusal(entry({ cost: { ...dollars, currency } }))).toMatch(/^MODELS: [\s\S]*currency/);
  expect(refusal(entry({ cost: { ...dollars, reasoning: 1 } }))).toContain('reasoning');
});
