import { expect, test } from '@jest/globals';
import { AppError, ERROR_CODES } from '../../domain/errors.ts';
import { ERROR_SENTENCES, errorSentence, LOCALES } from '../../domain/messages.ts';

test('every code has a sentence of its own in every language, and no sentence is without a code', () => {
  expect(Object.keys(ERROR_SENTENCES).sort()).toEqual([...ERROR_CODES].sort());
  for (const locale of LOCALES) {
    const sentences = ERROR_CODES.map((code) => errorSentence(code, locale));
    expect(new Set(sentences).size).toBe(ERROR_CODES.length);
    for (const sentence of sentences) expect(sentence.trim().length).toBeGreaterThan(4);
  }
});

test('the Korean ones are Korean, the English ones have no Korean in them', () => {
  for (const code of ERROR_CODES) {
    expect(errorSentence(code, 'ko')).toMatch(/[가-힣]/);
    expect(errorSentence(code, 'en')).not.toMatch(/[가-힣]/);
  }
});

test('no sentence names what is behind the service', () => {
  for (const { ko, en } of Object.values(ERROR_SENTENCES))
    expect(`${ko} ${en}`).not.toMatch(/postgres|redis|temporal|openai|sql|stack|undefined|null/i);
});

test('the codes are different', () => {
  expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
});

test('an AppError keeps its code, details and cause', () => {
  const cause = new Error('why');
  expect(new AppError('tokens_held', { retryAfter: 5 }, { cause })).toMatchObject({
    name: 'AppError',
    message: 'tokens_held',
    code: 'tokens_held',
    details: { retryAfter: 5 },
    cause,
  });
});
