import { useEffect, useRef } from 'react';
import { useSearchParams } from 'wouter';
import { useHistoryState } from 'wouter/use-browser-location';
import type { Schemas } from '../../api/schemas.ts';
import type { Row } from './rows.ts';

/** How long the place stands out. */
const SHOWN_MS = 3_000;
/** Room above what was looked for, so that one sees what it belongs to. */
const ROOM_PX = 96;

/**
 * Where in a conversation something was said, as a link's properties. The words themselves stand in the browser's
 * history alone, because addresses are logged.
 */
export function placeOf(conversationId: string, found: Schemas['Found'] | undefined) {
  const href = `/c/${conversationId}`;
  if (found === undefined) return { href };
  return { href: `${href}?turn=${found.turnId}&in=${found.role}`, state: { said: found.match } };
}

/**
 * Scrolls to the place that the address names once its row is there, reading older pages until it is, lets it stand out
 * for a moment and gives it the focus, so that a screen reader goes on from there.
 * @param reveal brings a row into the page. @param readMore reads older rows; null when there are none, or not now.
 * @param ready settles when answers can be drawn: what was drawn before would move.
 */
export function usePlace(
  rows: readonly Row[],
  { reveal, readMore, ready }: { reveal: Reveal; readMore: (() => void) | null; ready: () => Promise<unknown> },
): void {
  const [params] = useSearchParams();
  const state: unknown = useHistoryState();
  const turnId = params.get('turn');
  const part = params.get('in');
  const shown = useRef<unknown>(null);
  // Choosing the same result again makes another entry of the history, and with it another state.
  const place = turnId === null ? null : (state ?? `${turnId} ${part}`);
  useEffect(() => {
    if (place === null || shown.current === place) return;
    const its = rows.filter((row) => row.turnId === turnId);
    const row = its.find(({ kind }) => (kind === 'answer') === (part === 'assistant')) ?? its[0];
    if (row === undefined) return readMore?.();
    if (!reveal(row.key, null)) return;
    shown.current = place;
    void ready().finally(() =>
      requestAnimationFrame(() =>
        // The drawer that closes for it gives the focus back first.
        setTimeout(() => {
          const said = saidOf(state);
          reveal(row.key, (element) => standOut(element, said));
        }),
      ),
    );
  });
}

/**
 * @param place gives the distance in px from the top of the row's element to what shall be seen.
 * @returns whether the row was in the page already.
 */
export type Reveal = (key: string, place: ((row: HTMLElement) => number) | null) => boolean;

function saidOf(state: unknown): string {
  return typeof state === 'object' && state !== null && 'said' in state ? String(state.said) : '';
}

function standOut(row: HTMLElement, said: string): number {
  const article = row.querySelector<HTMLElement>('article');
  if (article !== null) {
    article.tabIndex = -1;
    article.focus({ preventScroll: true });
  }
  row.dataset['found'] = '';
  const range = rangeOf(article ?? row, said);
  if (range !== null && 'highlights' in CSS) CSS.highlights.set('said', new Highlight(range));
  setTimeout(() => {
    delete row.dataset['found'];
    if ('highlights' in CSS) CSS.highlights.delete('said');
  }, SHOWN_MS);
  return (range === null ? 0 : range.getBoundingClientRect().top - row.getBoundingClientRect().top) - ROOM_PX;
}

/** Where the text is in the element; null where signs of Markdown stood within it. */
function rangeOf(element: HTMLElement, text: string): Range | null {
  if (text === '') return null;
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const wanted = text.toLowerCase();
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const content = node.nodeValue ?? '';
    const at = content.toLowerCase().indexOf(wanted);
    if (at < 0 || at + wanted.length > content.length) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + wanted.length);
    return range;
  }
  return null;
}
