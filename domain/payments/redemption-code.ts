/** Digits and letters without those that people take for others (Crockford's base 32): I, L, O and U are left out. */
export const CODE_LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 32 to the 16th: 80 bits, which nobody guesses. */
export const CODE_LENGTH = 16;

/** What is read as another letter, from other alphabets too. */
const LOOK_ALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    '0': 'OОΟ〇',
    '1': 'ILІΙӀ',
    '3': 'З',
    A: 'АΑ',
    B: 'ВΒ',
    C: 'СϹ',
    E: 'ЕΕ',
    H: 'НΗ',
    J: 'Ј',
    K: 'КΚ',
    M: 'МΜ',
    N: 'Ν',
    P: 'РΡ',
    S: 'Ѕ',
    T: 'ТΤ',
    V: 'U',
    X: 'ХΧ',
    Y: 'УΥҮ',
    Z: 'Ζ',
  }).flatMap(([letter, others]) => [...others].map((other) => [other, letter])),
);

/** Space of any kind, dashes of any kind, and what shows nothing. */
const BETWEEN = /[\p{White_Space}\p{Pd}\p{Default_Ignorable_Code_Point}\u{2212}_.·]/gu;

/**
 * The code that somebody means, however they wrote it: in small letters, with spaces or other dashes, full width, or
 * with letters that look like ours. Null for what can be none.
 */
export function readCode(typed: string): string | null {
  const letters = [...typed.normalize('NFKC').toUpperCase().replaceAll(BETWEEN, '')];
  const code = letters.map((letter) => LOOK_ALIKES[letter] ?? letter).join('');
  return code.length === CODE_LENGTH && [...code].every((letter) => CODE_LETTERS.includes(letter)) ? code : null;
}

/** As it is printed: `0123-4567-89AB-CDEF`. */
export function writeCode(code: string): string {
  return (code.match(/.{4}/g) ?? []).join('-');
}

/** The most codes of one batch. */
export const MOST_CODES = 1_000;
