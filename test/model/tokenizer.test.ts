import { describe, expect, test } from '@jest/globals';
import { countTokens as libraryCl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as libraryO200k } from 'gpt-tokenizer/encoding/o200k_base';
import fc from 'fast-check';
import type { Encoding } from '../../domain/model.ts';
import { NO_RANK, readTokens } from '../../platform/tokens/token-table.ts';
import { countTokens } from '../../platform/tokens/tokenizer.ts';

const AS_TEXT = { disallowedSpecial: new Set<string>() };
const LIBRARY = {
  o200k_base: (text: string) => libraryO200k(text, AS_TEXT),
  cl100k_base: (text: string) => libraryCl100k(text, AS_TEXT),
} satisfies Record<Encoding, unknown>;
const RANKS = {
  o200k_base: () => import('gpt-tokenizer/bpeRanks/o200k_base'),
  cl100k_base: () => import('gpt-tokenizer/bpeRanks/cl100k_base'),
} satisfies Record<Encoding, unknown>;
const ENCODINGS = ['o200k_base', 'cl100k_base'] as const;

test.each<[string, Encoding, number]>([
  ['', 'o200k_base', 0],
  ['hello world', 'o200k_base', 2],
  ['hello world', 'cl100k_base', 2],
  ['안녕하세요', 'o200k_base', 2],
  ['안녕하세요', 'cl100k_base', 5],
  ['😀', 'o200k_base', 1],
  ['😀', 'cl100k_base', 2],
  // Both encodings have this token. The package loses the mark before it looks.
  ['\ufeffusing', 'o200k_base', 1],
  ['\ufeffusing', 'cl100k_base', 1],
])('%j has %s tokens', (text, encoding, tokens) => {
  expect(countTokens(text, encoding)).toBe(tokens);
});

describe.each(ENCODINGS)('%s', (encoding) => {
  test.each(['<|endoftext|>', '<|im_start|>system<|im_end|>', 'a <|endofprompt|> b', '<|fim_prefix|>'])(
    '%s in a text is text, not one token',
    (text) => {
      expect(countTokens(text, encoding)).toBeGreaterThan(3);
    },
  );

  test('ordinary text of any language is counted exactly, with and without spaces', () => {
    for (const text of [
      'The quick brown fox jumps over the lazy dog. '.repeat(100),
      '사용자의 언어로 간결하게 답하세요. '.repeat(100),
      '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。'.repeat(50),
      'https://example.com/a/b?c=d&e=f#g'.repeat(50),
      JSON.stringify(Array.from({ length: 200 }, (_, i) => ({ id: i, name: `n${i}` }))),
      `${' '.repeat(100)}indented\n\n\n`.repeat(20),
    ])
      expect(countTokens(text, encoding)).toBe(LIBRARY[encoding](text));
  });

  test("its tokens are the package's own, each with its rank", async () => {
    const { default: ranks } = await RANKS[encoding]();
    const tokens = readTokens(encoding);
    const wrong = [...ranks.entries()].filter(([rank, token]) => {
      const bytes = typeof token === 'string' ? Buffer.from(token) : Buffer.from(token);
      return tokens.rankOf(bytes, 0, bytes.length) !== rank;
    });
    expect([tokens.size, wrong]).toEqual([ranks.length, []]);
    expect(tokens.rankOf(Buffer.from('no token has these words'), 0, 24)).toBe(NO_RANK);
  });

  test('any short text is counted exactly, half characters too', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 100 }).map((text) => text.replaceAll('\ufeff', '')),
        (text) => countTokens(text, encoding) === LIBRARY[encoding](text),
      ),
      { numRuns: 300 },
    );
    expect(countTokens('\ud83d', encoding)).toBe(LIBRARY[encoding]('\ud83d'));
  });

  test('an ordinary text around an endless run is counted exactly', () => {
    const run = 'a'.repeat(1_024);
    const around = countTokens(`before,\n${run}! and after`, encoding) - countTokens(run, encoding);
    expect(around).toBe(LIBRARY[encoding](`before,\n${run}! and after`) - LIBRARY[encoding](run));
  });

  // Texts in one piece take 4 to 7 s of the event loop (half characters and emoji); in parts, all of these take 5 to 50
  // ms. The shortest of three runs counts, because a first count under load has taken 0.8 s. Each run's text has one
  // more letter in front, so that no result is remembered from the run before.
  test.each<[string, string]>([
    ['one letter', 'a'.repeat(32_000)],
    ['spaces', ' '.repeat(32_000)],
    ['lines', '\n'.repeat(32_000)],
    ['spaces and tabs in turn', ' \t'.repeat(16_000)],
    ['punctuation and lines in one piece', `!${'\n/'.repeat(16_000)}`],
    ['one syllable', '가'.repeat(32_000)],
    [
      'all syllables',
      Array.from({ length: 32_000 }, (_, i) => String.fromCharCode(0xac00 + ((i * 7_919) % 11_172))).join(''),
    ],
    ['emoji', '😀'.repeat(32_000)],
    ['half characters', '\ud83d'.repeat(32_000)],
    ['accents on one letter', `a${'\u0301'.repeat(32_000)}`],
  ])('32,000 characters do not hold up the others: %s', (_, text) => {
    const tokens = countTokens(text, encoding);
    expect(
      Math.min(...['x', 'xy', 'xyz'].map((before) => cpuMicroseconds(() => countTokens(before + text, encoding)))),
    ).toBeLessThan(800_000);
    expect(countTokens(text, encoding)).toBe(tokens);
    expect(tokens).toBeLessThanOrEqual(4 * [...text].length);
    expect(tokens).toBeGreaterThan(0);
  });

  test('cutting an endless run changes its count by less than 2 %', () => {
    for (const text of [
      '가'.repeat(3_000),
      'ab'.repeat(3_000),
      ' \t'.repeat(1_500),
      '😀'.repeat(1_000),
      'lorem'.repeat(600),
    ]) {
      const exact = LIBRARY[encoding](text);
      expect(Math.abs(countTokens(text, encoding) - exact) / exact).toBeLessThan(0.02);
    }
  });
});

function cpuMicroseconds(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}
