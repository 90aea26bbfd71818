import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FILE_LIMITS } from '../../domain/files/file.ts';
import { imageTokens, publishedVision, type Size, type Vision } from '../../domain/files/vision.ts';

const of = (model: string): Vision => {
  const vision = publishedVision(model);
  if (vision === null) throw new Error(`${model} has no rule`);
  return vision;
};
const size = (width: number, height: number): Size => ({ width, height });

test('counts the examples of OpenAI’s own page', () => {
  // https://platform.openai.com/docs/guides/images-vision, Calculating costs.
  expect(imageTokens({ rule: 'patches', most: 1_536, thousandths: 1_000 }, size(1_024, 1_024))).toBe(1_024);
  expect(imageTokens({ rule: 'patches', most: 1_536, thousandths: 1_000 }, size(1_800, 2_400))).toBe(1_452);
  expect(imageTokens(of('gpt-4o'), size(1_024, 1_024))).toBe(765);
  expect(imageTokens(of('gpt-4o'), size(2_048, 4_096))).toBe(1_105);
  expect(imageTokens(of('gpt-4o'), size(4_096, 8_192), 'low')).toBe(85);
});

test('each family counts by its own figures, and patches take no heed of detail', () => {
  const bill = size(1_536, 2_048);
  expect(
    ['gpt-4o', 'gpt-4o-mini', 'gpt-4.1-mini', 'gpt-4.1-nano', 'gpt-5', 'gpt-5-mini', 'o3', 'o4-mini'].map((model) => [
      model,
      imageTokens(of(model), bill),
      imageTokens(of(model), bill, 'low'),
    ]),
  ).toEqual([
    ['gpt-4o', 765, 85],
    ['gpt-4o-mini', 25_501, 2_833],
    ['gpt-4.1-mini', 2_353, 2_353],
    ['gpt-4.1-nano', 3_572, 3_572],
    ['gpt-5', 630, 70],
    ['gpt-5-mini', 2_353, 2_353],
    ['o3', 675, 75],
    ['o4-mini', 2_498, 2_498],
  ]);
});

test('a dated version counts as its model; a model without a row sees nothing', () => {
  expect(of('gpt-4o-2024-08-06')).toEqual(of('gpt-4o'));
  expect(['gpt-3.5-turbo', 'gpt-4o-audio', 'constructor', 'o1-mini', 'llama3.2'].map(publishedVision)).toEqual([
    null,
    null,
    null,
    null,
    null,
  ]);
});

test('whatever its shape, an image costs something, and never more than the rule’s most', () => {
  const side = fc.integer({ min: 1, max: FILE_LIMITS.side });
  fc.assert(
    fc.property(side, side, (width, height) => {
      const patches = imageTokens(of('gpt-5-mini'), size(width, height));
      const tiles = imageTokens(of('gpt-4o'), size(width, height));
      expect(patches).toBeGreaterThanOrEqual(2);
      expect(patches).toBeLessThanOrEqual(Math.ceil(1_536 * 1.62));
      expect(tiles).toBeGreaterThanOrEqual(85 + 170);
      // 2,048 × 768 is the most that is left of any image.
      expect(tiles).toBeLessThanOrEqual(85 + 170 * 8);
      expect(imageTokens(of('gpt-5-mini'), size(height, width))).toBe(patches);
    }),
  );
});
