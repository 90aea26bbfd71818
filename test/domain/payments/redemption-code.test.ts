import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CODE_LENGTH, CODE_LETTERS, readCode, writeCode } from '../../../domain/payments/redemption-code.ts';

const CODE = '01AB23CD45EH67KM';

test.each([
  ['as it is printed', '01AB-23CD-45EH-67KM'],
  ['in small letters', '01ab23cd45eh67km'],
  ['with spaces of any kind', ' 01AB 23CD\u00a045EH\u300067KM\n'],
  ['with other dashes', '01AB–23CD—45EH‐67KM'],
  ['with what shows nothing', '\u200b01AB-23CD-45EH-67KM\u2060'],
  ['full width', '０１ＡＢ－２３ＣＤ－４５ＥＨ－６７ＫＭ'],
  ['with letters that are taken for digits', 'OiAB-23CD-45EH-67KM'],
  ['with an l for a one', 'olAB-23CD-45EH-67KM'],
  ['in Cyrillic letters', '01АВ-23СD-45ЕН-67КМ'],
  ['in Greek letters', '01ΑΒ-23CD-45ΕΗ-67ΚΜ'],
])('a code %s is the same code', (_, typed) => {
  expect(readCode(typed)).toBe(CODE);
});

test.each([
  ['nothing', ''],
  ['one letter less', CODE.slice(1)],
  ['one letter more', `${CODE}A`],
  ['another sign', '01AB-23CD-45EH-67K!'],
  ['Korean', '가나다라마바사아자차카타파하거너'],
  ['half of an emoji', `${CODE.slice(1)}\ud83d`],
])('%s is no code', (_, typed) => {
  expect(readCode(typed)).toBeNull();
});

test('every code that is made is read as itself, and another one is another (control)', () => {
  const letters = fc.array(fc.constantFrom(...CODE_LETTERS), { minLength: CODE_LENGTH, maxLength: CODE_LENGTH });
  fc.assert(
    fc.property(letters, (made) => {
      const code = made.join('');
      expect(writeCode(code)).toMatch(/^(.{4}-){3}.{4}$/);
      for (const typed of [writeCode(code), code.toLowerCase()]) expect(readCode(typed)).toBe(code);
    }),
  );
  expect(readCode(CODE.replace('A', 'B'))).not.toBe(CODE);
});
