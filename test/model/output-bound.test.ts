import { expect, test } from '@jest/globals';
import { OutputBound } from '../../platform/model/output-bound.ts';
import { countTokens } from '../../platform/tokens/tokenizer.ts';

test.each([
  ['words, one by one', Array.from({ length: 4_000 }, (_, n) => ` word${n % 7}`)],
  ['a letter at a time', Array.from('안녕하세요, 무엇을 도와드릴까요? '.repeat(300))],
  ['emoji', Array.from({ length: 3_000 }, () => '👨‍👩‍👧')],
  ['all at once', [' 토큰'.repeat(50_000)]],
])('%s: as much as the bound has tokens, and no more', (_, pieces) => {
  const bound = new OutputBound(1_000, 'o200k_base');
  let taken = '';
  for (const piece of pieces) {
    const fitting = bound.take(piece);
    taken += fitting;
    if (fitting.length < piece.length) break;
  }
  const tokens = countTokens(taken, 'o200k_base');
  expect(tokens).toBeLessThanOrEqual(1_000);
  // Text is counted in parts, whose seams add a few.
  expect(tokens).toBeGreaterThan(950);
  expect(taken.isWellFormed()).toBe(true);
});

test('an answer within the bound is whole, to its last token', () => {
  const text = 'The answer is forty-two. '.repeat(100);
  const bound = new OutputBound(countTokens(text, 'o200k_base') + 8, 'o200k_base');
  expect(
    text
      .match(/.{1,5}/gs)
      ?.map((piece) => bound.take(piece))
      .join(''),
  ).toBe(text);
});
