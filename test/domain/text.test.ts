import { expect, test } from '@jest/globals';
import { lookAlikesOf, parseEmail } from '../../domain/email.ts';
import { message } from '../../api/wire/fields.ts';
import { hasHeapOfMarks, isBlank, isReason, parseId } from '../../domain/text.ts';

test.each([
  ['nothing', ''],
  ['space of every kind', ' \t\r\n\u{a0}\u{2003}\u{3000}\u{2028}'],
  ['zero-width characters', '\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}'],
  ['direction characters', '\u{200e}\u{202e}\u{2066}\u{2069}\u{061c}'],
  ['Hangul fillers', '\u{3164}\u{115f}\u{1160}\u{ffa0}'],
  ['control characters', '\u{1}\u{7f}\u{85}'],
  ['soft hyphens, joiners and selectors', '\u{ad}\u{34f}\u{fe0f}\u{e0100}'],
  ['tags and the empty Braille pattern', '\u{e0041}\u{2800}\u{fff9}'],
])('%s shows nothing, and one letter beside it is seen', (_title, text) => {
  expect([isBlank(text), isReason(text)]).toEqual([true, false]);
  expect([isBlank(`${text}a`), isReason(`${text}a`)]).toEqual([false, true]);
});

test('what has a shape is no blank: a letter, a dot, Hangul in parts, an emoji of many parts, a mark alone', () => {
  for (const text of ['a', '.', '가', 'ㄱ', '\u{1100}', '👨‍👩‍👧', '\u{301}', '؀', '☎️'])
    expect([text, isBlank(text)]).toEqual([text, false]);
});

test('a reason has at most 500 code points, however many units they take', () => {
  expect([isReason('😀'.repeat(500)), isReason('😀'.repeat(501))]).toEqual([true, false]);
});

test('an id is written in one way', () => {
  expect(['1', '42', '9007199254740991'].map(parseId)).toEqual([1, 42, Number.MAX_SAFE_INTEGER]);
  for (const text of [
    '',
    '0',
    '01',
    '+1',
    '-1',
    '1e1',
    '1.0',
    ' 1',
    '1 ',
    '0x1',
    '١',
    '9007199254740992',
    'Infinity',
    '1\n',
  ])
    expect([text, parseId(text)]).toEqual([text, null]);
});

test('an address has one spelling: composed and in lower case', () => {
  expect(parseEmail('Kim@Example.COM')).toBe('kim@example.com');
  expect(parseEmail('\u{1112}\u{1161}\u{11ab}@예.한국')).toBe('한@예.한국');
  expect(parseEmail('e\u{301}@x.fr')).toBe('\u{e9}@x.fr');
});

test.each([
  ['no @', 'kim'],
  ['two', 'a@b@c'],
  ['nothing before it', '@example.com'],
  ['nothing after it', 'kim@'],
  ['a space', 'a b@example.com'],
  ['a space that does not break', 'a\u{a0}b@example.com'],
  ['a NUL', 'kim\0@example.com'],
  ['a line break', 'kim@example.com\n'],
  ['a zero-width space', 'kim\u{200b}@example.com'],
  ['a direction mark', '\u{202e}kim@example.com'],
  ['a soft hyphen', 'ki\u{ad}m@example.com'],
  ['a Hangul filler', '\u{3164}kim@example.com'],
  ['half a pair', 'kim\u{d83d}@example.com'],
  ['65 characters before the @', `${'a'.repeat(65)}@example.com`],
])('with %s it is none', (_title, text) => {
  expect(parseEmail(text)).toBeNull();
});

test('letters that look like others are named by their code points, those of everybody are not', () => {
  expect(lookAlikesOf('\u{430}dmin@ex\u{430}mple.com')).toEqual(['\u{430} U+0430']);
  expect(lookAlikesOf('ａ@x.com')).toEqual(['ａ U+FF41']);
  expect([lookAlikesOf('kim@example.com'), lookAlikesOf('김@예.한국'), lookAlikesOf(null)]).toEqual([[], [], []]);
});

test('a heap of marks is told from letters with their marks, and a message with one is refused at once', () => {
  const marks = '\u0301\u0327';
  expect(['e\u0301', `a${marks.repeat(32)}`, `a${marks.repeat(33)}`].map(hasHeapOfMarks)).toEqual([false, false, true]);
  const began = performance.now();
  expect(message.safeParse(marks.repeat(60_000)).success).toBe(false);
  // Brought into order it would take seconds.
  expect(performance.now() - began).toBeLessThan(1_000);
});
