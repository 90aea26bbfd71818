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

/** What the glossary (web/i18n/README.md) does not write, by language. */
const UNWRITTEN = {
  ko: [/단추/, /잠시 뒤/, /\((으|이|을|를|은|는|가|와|과)\)/, /\}\}(은|는|이|가|을|를|과|와|로|으로)(?![가-힣])/],
  en: [
    /[A-Za-z]'[a-z]/,
    /e-mail/i,
    /\b[Mm]ails\b/,
    /\bfor want of\b/,
    /\bunder way\b/,
    /\b(can|do|does|is|are)( ?not)\b/,
  ],
} as const;
/** Figures whose reading always ends in the same sound: "11월", "90%", "답변", "Markdown" and "JSON". */
const SOUNDS = /\{\{(month|percent|format)\}\}/;

test.each(['ko', 'en'] as const)(
  '%s is written as its glossary says, and no particle depends on a figure',
  (locale) => {
    const found = parts.flatMap((part) =>
      [...sentences(locale, part)].filter(
        ([, sentence]) => !SOUNDS.test(sentence) && UNWRITTEN[locale].some((wrong) => wrong.test(sentence)),
      ),
    );
    expect(found).toEqual([]);
  },
);
