import { describe, expect, test } from '@jest/globals';
import { coversText, decideUsage, unpaidUsage } from '../../domain/answer-usage.ts';
import type { ReportedUsage } from '../../domain/usage.ts';

const MODEL = { contextWindow: 128_000, usageFloor: 0.5 };
const reported = (promptTokens: number | null, completionTokens: number | null, cachedTokens = 0): ReportedUsage => ({
  promptTokens,
  completionTokens,
  cachedTokens,
  reasoningTokens: 0,
});
const counted = (completionTokens: number, reasoningTokens = 0) => ({
  promptTokens: 38,
  cachedTokens: 0,
  completionTokens,
  reasoningTokens,
});
const decide = (usage: ReportedUsage | null, ours: number, model = MODEL) => {
  const decided = decideUsage({ reported: usage, counted: counted(ours), model, outputLimit: 2_048 });
  return [decided.usage.promptTokens, decided.usage.completionTokens, decided.estimated];
};

describe('whose figure counts (policy 10)', () => {
  test.each<[string, ReportedUsage | null, number, [number, number, boolean]]>([
    ['the provider’s', reported(40, 36), 30, [40, 36, false]],
    ['ours, when it said nothing', null, 30, [38, 30, true]],
    ['ours for a prompt of 0', reported(0, 60), 60, [38, 60, true]],
    ['ours for an answer of 0', reported(40, 0), 409, [40, 409, true]],
    ['the provider’s 0 for an answer of nothing', reported(40, 0), 0, [40, 0, false]],
    ['ours for a missing half', reported(40, null), 30, [40, 30, true]],
    ['ours for less than half of ours', reported(40, 49), 100, [40, 100, true]],
    ['the provider’s from half of ours on', reported(40, 50), 100, [40, 50, false]],
    ['the provider’s for a short answer', reported(40, 1), 63, [40, 1, false]],
    ['ours from 64 tokens on', reported(40, 1), 64, [40, 64, true]],
    ['the provider’s prompt of 1: cached tokens may be left out', reported(1, 60), 60, [1, 60, false]],
    ['the provider’s thoughts within its limit', reported(40, 2_048), 3, [40, 2_048, false]],
    ['ours for twice the limit and twice ours', reported(40, 4_097), 3, [40, 3, true]],
    ['the provider’s for twice its limit, as long as it is', reported(40, 5_000), 2_600, [40, 5_000, false]],
    ['ours for a prompt beyond the context window', reported(128_001, 60), 60, [38, 60, true]],
    ['the provider’s prompt that fills the window', reported(128_000, 60), 60, [128_000, 60, false]],
  ])('%s', (_, usage, ours, expected) => {
    expect(decide(usage, ours)).toEqual(expected);
  });

  test('a floor of 0 believes any answer but 0', () => {
    expect(decide(reported(40, 1), 1_000, { ...MODEL, usageFloor: 0 })).toEqual([40, 1, false]);
    expect(decide(reported(40, 0), 1_000, { ...MODEL, usageFloor: 0 })).toEqual([40, 1_000, true]);
  });

  test('cached tokens go with the prompt that counts, and thoughts with the answer', () => {
    const model = { model: MODEL, outputLimit: 2_048, counted: counted(100, 90) };
    expect(decideUsage({ reported: reported(40, 100, 30), ...model }).usage).toMatchObject({
      cachedTokens: 30,
      reasoningTokens: 0,
    });
    expect(decideUsage({ reported: reported(0, 10, 30), ...model }).usage).toMatchObject({
      cachedTokens: 0,
      reasoningTokens: 90,
    });
  });
});

test.each<[number | null, number, number, boolean]>([
  [36, 36, 0.5, true],
  [5, 10, 0.5, true],
  [4, 10, 0.5, false],
  [1, 10, 0, true],
  [0, 10, 0, false],
  [null, 10, 0.5, false],
  [10, 0, 0.5, false],
])(
  'usage of %s for a text of %s, with a floor of %s, shows a whole answer: %s',
  (completion, text, usageFloor, covers) => {
    expect(coversText(reported(40, completion), text, { usageFloor })).toBe(covers);
  },
);

test('what nobody pays is kept as far as the provider said it', () => {
  expect(unpaidUsage(reported(40, null))).toMatchObject({ promptTokens: 40, completionTokens: 0 });
  expect(unpaidUsage(reported(0, 0))).toBeNull();
  expect(unpaidUsage(null)).toBeNull();
});
