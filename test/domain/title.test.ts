import { expect, test } from '@jest/globals';
import { titleOf } from '../../domain/title.ts';

test.each<[string, string, string]>([
  ['40 code points', '가'.repeat(40), '가'.repeat(40)],
  ['a 41st code point', '가'.repeat(41), `${'가'.repeat(39)}…`],
  ['a syllable of several letters', `${'a'.repeat(38)}\u{1112}\u{119e}\u{11ab}b`, `${'a'.repeat(38)}…`],
  ['an emoji of several people', `${'a'.repeat(36)}👨‍👩‍👧‍👦`, `${'a'.repeat(36)}…`],
  ['an emoji with a tone', `${'a'.repeat(39)}👍🏽`, `${'a'.repeat(39)}…`],
  ['a flag', `${'a'.repeat(39)}🇰🇷`, `${'a'.repeat(39)}…`],
  ['an emoji that fits', `${'a'.repeat(38)}🇰🇷`, `${'a'.repeat(38)}🇰🇷`],
  ['an emoji that fits with the sign', `${'a'.repeat(37)}🇰🇷🇯🇵`, `${'a'.repeat(37)}🇰🇷…`],
  ['what is seen first', `${'\u{200b}'.repeat(60)}\u{3164}\u{202e}${'나'.repeat(50)}`, `${'나'.repeat(39)}…`],
  ['a mark without a letter', '\u{200b}\u{301}x', '\u{301}x'],
  ['a character of 41 code points, which is cut', `a${'\u{301}'.repeat(60)}b`, `a${'\u{301}'.repeat(38)}…`],
  ['a short question', ' 안녕', '안녕'],
])('a title ends or begins at %s', (_what, question, title) => {
  expect(titleOf(question)).toBe(title);
});

test.each<[string, string, string]>([
  [
    'ko: a greeting',
    '안녕하세요! 파이썬에서 목록을 정렬하는 방법을 알려 주세요',
    '파이썬에서 목록을 정렬하는 방법을 알려 주세요',
  ],
  ['ko: a greeting without a sign', '안녕하세요 반품은 어떻게 하나요?', '반품은 어떻게 하나요?'],
  ['ko: two greetings', '안녕하세요, 반갑습니다. 반품 되나요?', '반품 되나요?'],
  ['ko: nothing but a greeting', '안녕하세요!', '안녕하세요!'],
  ['ko: no greeting', '안녕 뜻이 뭐예요?', '안녕 뜻이 뭐예요?'],
  ['ko: a word that begins like one', '안녕하세요라는 말의 유래', '안녕하세요라는 말의 유래'],
  [
    'ko: Markdown',
    '## **환불** 규정을\n> [여기](https://example.com/a)에서 `요약`해 줘',
    '환불 규정을 여기에서 요약해 줘',
  ],
  ['ko: code before the question', '```ts\nconst a = 1;\n```\n이 코드를 설명해 줘', '이 코드를 설명해 줘'],
  ['ko: code that is not closed', '이 코드를 고쳐 줘\n```py\nprint(1', '이 코드를 고쳐 줘'],
  ['ko: nothing but code', '```\nSELECT 1\n```', '``` SELECT 1 ```'],
  [
    'ko: whole words',
    '다음 주 제주도 가족 여행에서 아이들과 함께 가기 좋은 실내 장소를 세 곳만 추천해 주세요',
    '다음 주 제주도 가족 여행에서 아이들과 함께 가기 좋은 실내 장소를 세…',
  ],
  ['en: a greeting', 'Hello there! How do I sort a list?', 'How do I sort a list?'],
  ['en: no greeting', 'Hello world in Rust', 'Hello world in Rust'],
  ['en: a word that begins like one', 'Hi-fi speakers, please', 'Hi-fi speakers, please'],
  ['en: a list', '1. Compare *cats* and dogs\n2. Be brief', 'Compare *cats* and dogs Be brief'],
  ['en: whole words', 'Explain the difference between concurrency and parallelism', 'Explain the difference between…'],
  [
    'en: a whole sentence',
    'How can I sort a long list in Python? Alphabetically, please',
    'How can I sort a long list in Python?',
  ],
  ['en: a word that ends where it has to', `${'ab '.repeat(13)}c d`, `${'ab '.repeat(12)}ab…`],
  ['en: one long word', `see ${'x'.repeat(60)}`, `see ${'x'.repeat(35)}…`],
])('a title is what was asked. %s', (_what, question, title) => {
  expect(titleOf(question)).toBe(title);
});

test('the longest question of the worst shape is called within 50 ms', () => {
  for (const piece of ['```\n', '[', '* ', '안녕하세요 ', '[a](', '`', '\n> ', '- - '])
    expect([piece, timeOf(() => titleOf(piece.repeat(32_000 / piece.length))) < 50]).toEqual([piece, true]);
});

/** The quickest of three, in milliseconds: another process may hold one up. */
function timeOf(work: () => void): number {
  return Math.min(
    ...[0, 1, 2].map(() => {
      const began = performance.now();
      work();
      return performance.now() - began;
    }),
  );
}
