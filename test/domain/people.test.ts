import { expect, test } from '@jest/globals';
import { nameOf } from '../../domain/identity.ts';
import { MOST_NAME, parseName } from '../../domain/people.ts';

test.each([
  ['김민지', '김민지'],
  ['  Minji \u3000\t Kim ', null],
  ['  Minji \u3000  Kim ', 'Minji Kim'],
  ['김민지'.normalize('NFD'), '김민지'],
  ['가'.repeat(MOST_NAME), '가'.repeat(MOST_NAME)],
  ['가'.repeat(MOST_NAME + 1), null],
  ['', null],
  [' \u3000', null],
  ['a\u200Bb', null],
  ['a\u202Eb', null],
  ['a\0b', null],
  ['\uD800', null],
  ['\u2800', null],
])('%j as a name is %j', (text, name) => {
  expect(parseName(text)).toBe(name);
  expect(nameOf({ name: text })).toBe(name);
});

test('a claim of another shape is no name', () => {
  for (const name of [undefined, null, 7, ['a'], { toString: () => 'a' }]) expect(nameOf({ name })).toBeNull();
});
