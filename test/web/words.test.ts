import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WEBHOOK_EVENTS } from '../../domain/channels/endpoint.ts';
import { NOTIFICATION_KINDS } from '../../domain/channels/kinds.ts';

const folder = join(import.meta.dirname, '../../web/i18n');
const parts = readdirSync(join(folder, 'ko'));

/** The sentences by their full keys. */
function sentences(locale: string, part: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (value: unknown, path: string) => {
    if (typeof value === 'string') found.set(path, value);
    else for (const [key, inner] of Object.entries(value as object)) walk(inner, path === '' ? key : `${path}.${key}`);
  };
  walk(JSON.parse(readFileSync(join(folder, locale, part), 'utf8')), '');
  return found;
}

/** The keys without `_one` and `_other`, which only English has: Korean has one form for every number. */
function keysOf(words: Map<string, string>): string[] {
  return [...new Set([...words.keys()].map((key) => key.replace(/_(one|other)$/, '')))].sort();
}

function placeholders(sentence: string): string[] {
  return [...sentence.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name).sort();
}

test('both languages have the same parts', () => {
  expect(readdirSync(join(folder, 'en'))).toEqual(parts);
});

test.each(parts)('%s says the same things in Korean and in English, with the same figures', (part) => {
  const [ko, en] = [sentences('ko', part), sentences('en', part)];
  expect(keysOf(en)).toEqual(keysOf(ko));
  for (const [key, sentence] of en) {
    const counterpart =
      ko.get(key) ?? ko.get(key.replace(/_(one|other)$/, '')) ?? ko.get(`${key.replace(/_(one|other)$/, '')}_other`);
    expect([key, placeholders(sentence)]).toEqual([key, placeholders(counterpart ?? '')]);
  }
});

test.each(parts)('%s holds no sentence that was left untranslated', (part) => {
  const [ko, en] = [sentences('ko', part), sentences('en', part)];
  expect(
    [...ko].filter(
      ([key, sentence]) => sentence.trim() === '' || (/[가-힣]/.test(en.get(key) ?? '') && key !== 'otherLanguage'),
    ),
  ).toEqual([]);
  expect(
    [...ko].filter(
      ([key, sentence]) => !/[가-힣]/.test(sentence) && /[A-Za-z]{3}/.test(sentence) && key !== 'otherLanguage',
    ),
  ).toEqual([]);
});

test('each kind of notification has its word, for who gets it and for admins', () => {
  const [own, admins] = [sentences('ko', 'preferences.json'), sentences('ko', 'deliveries.json')];
  const missing = [
    ...NOTIFICATION_KINDS.filter((kind) => !own.has(`mail.kind.${kind}`)),
    ...[...NOTIFICATION_KINDS, ...WEBHOOK_EVENTS].filter((kind) => !admins.has(`kind.${kind}`)),
  ];
  expect(missing).toEqual([]);
});
