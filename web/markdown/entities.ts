import { useEffect, useSyncExternalStore } from 'react';

type Table = Readonly<Record<string, string>>;

/** The entities that answers do name. The other two thousand are loaded with the first answer that names one. */
const USUAL: Table = {
  amp: '&',
  apos: "'",
  copy: '©',
  deg: '°',
  divide: '÷',
  euro: '€',
  ge: '≥',
  gt: '>',
  hellip: '…',
  laquo: '«',
  larr: '←',
  ldquo: '“',
  le: '≤',
  lsquo: '‘',
  lt: '<',
  mdash: '—',
  middot: '·',
  nbsp: '\u00a0',
  ndash: '–',
  ne: '≠',
  plusmn: '±',
  quot: '"',
  raquo: '»',
  rarr: '→',
  rdquo: '”',
  reg: '®',
  rsquo: '’',
  times: '×',
  trade: '™',
};

let all: Table | null = null;
const listeners = new Set<() => void>();

/** The parser's own, in place of a package that has them all (12 KB) or reads them by writing HTML. */
export function decodeNamedCharacterReference(name: string): string | false {
  const table = all ?? USUAL;
  return Object.hasOwn(table, name) ? (table[name] ?? false) : false;
}

/** @returns whether the text has to be parsed anew, since it names an entity that has been loaded by now. */
export function useEntities(text: string): boolean {
  const loaded = useSyncExternalStore(subscribe, () => all !== null);
  const wanted = namesUnusual(text);
  useEffect(() => {
    if (wanted && !loaded) load();
  }, [wanted, loaded]);
  return wanted && loaded;
}

function namesUnusual(text: string): boolean {
  if (!text.includes('&')) return false;
  return [...text.matchAll(/&([a-z][a-z\d]{1,31});/gi)].some(([, name = '']) => !Object.hasOwn(USUAL, name));
}

function load(): void {
  void import('character-entities').then(
    ({ characterEntities }) => {
      all = characterEntities;
      for (const listener of listeners) listener();
    },
    () => {},
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
