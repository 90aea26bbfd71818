import i18next, { type CustomTypeOptions } from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Locale } from '../../domain/messages.ts';
import chat from './ko/chat.json';
import common from './ko/common.json';
import usage from './ko/usage.json';

/** Korean is part of the page; English is loaded when it is wanted, and the other parts with what they are for. */
const SHIPPED = { common, chat, usage };
export type Namespace = keyof CustomTypeOptions['resources'];

const CHUNKS = import.meta.glob<Record<string, unknown>>('./*/*.json', { import: 'default' });
const REMEMBERED = 'turnkeeper.locale';
const wanted = new Set<Namespace>(['common', 'chat', 'usage']);

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

/** Loads texts that a page needs in addition; they are loaded again when another language is chosen. */
export async function loadWords(namespace: Namespace): Promise<void> {
  wanted.add(namespace);
  await loadAll(currentLocale());
}

export function currentLocale(): Locale {
  return isLocale(i18next.language) ? i18next.language : 'ko';
}

async function loadAll(locale: Locale): Promise<void> {
  await Promise.all(
    [...wanted].map(async (namespace) => {
      if (i18next.hasResourceBundle(locale, namespace)) return;
      const chunk = CHUNKS[`./${locale}/${namespace}.json`];
      if (chunk === undefined) throw new Error(`no words: ${locale}/${namespace}`);
      i18next.addResourceBundle(locale, namespace, await chunk());
    }),
  );
}

function isLocale(value: unknown): value is Locale {
  return value === 'ko' || value === 'en';
}
