import i18next, { type CustomTypeOptions } from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Locale } from '../../domain/messages.ts';
import chat from './ko/chat.json';
import common from './ko/common.json';
import usage from './ko/usage.json';

/** Korean is part of the page; English is loaded when it is wanted, and the other parts with what they are for. */
const SHIPPED = { common, chat, usage };
export type Namespace = keyof CustomTypeOptions['resources'];

/** How each file of words is loaded, by its path from here. */
export type Chunks = Readonly<Record<string, () => Promise<Record<string, unknown>>>>;

const CHUNKS: Chunks = import.meta.glob<Record<string, unknown>>(
  [
    './*/*.json',
    '!./*/{admin,admin-home,deliveries,instructions,invitation,keys,models,people,preferences,purchase,reports,usage-page,words}.json',
  ],
  { import: 'default' },
);
const REMEMBERED = 'turnkeeper.locale';
const wanted = new Map<Namespace, Chunks>([
  ['common', CHUNKS],
  ['chat', CHUNKS],
  ['usage', CHUNKS],
]);

/** The language before anybody has signed in: the last one used here, else the browser's, else Korean. */
export async function prepareLanguage(): Promise<void> {
  const known = localStorage.getItem(REMEMBERED);
  const locale = isLocale(known) ? known : (navigator.languages.map((name) => name.slice(0, 2)).find(isLocale) ?? 'ko');
  await i18next.use(initReactI18next).init({
    lng: locale,
    fallbackLng: false,
    ns: Object.keys(SHIPPED),
    defaultNS: 'common',
    resources: { ko: SHIPPED },
    partialBundledLanguages: true,
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  await changeLanguage(locale);
}

export async function changeLanguage(locale: Locale): Promise<void> {
  await loadAll(locale);
  localStorage.setItem(REMEMBERED, locale);
  document.documentElement.lang = locale;
  document
    .querySelector('link[rel="manifest"]')
    ?.setAttribute('href', locale === 'ko' ? '/manifest.webmanifest' : `/manifest.${locale}.webmanifest`);
  await i18next.changeLanguage(locale);
}

/**
 * Loads texts that a page needs in addition; they are loaded again when another language is chosen.
 * @param from where they are no part of what everybody loads first.
 */
export async function loadWords(namespace: Namespace, from: Chunks = CHUNKS): Promise<void> {
  wanted.set(namespace, from);
  await loadAll(currentLocale());
}

export function currentLocale(): Locale {
  return isLocale(i18next.language) ? i18next.language : 'ko';
}

async function loadAll(locale: Locale): Promise<void> {
  await Promise.all(
    [...wanted].map(async ([namespace, chunks]) => {
      if (i18next.hasResourceBundle(locale, namespace)) return;
      const chunk = chunks[`./${locale}/${namespace}.json`];
      if (chunk === undefined) throw new Error(`no words: ${locale}/${namespace}`);
      i18next.addResourceBundle(locale, namespace, await chunk());
    }),
  );
}

function isLocale(value: unknown): value is Locale {
  return value === 'ko' || value === 'en';
}
