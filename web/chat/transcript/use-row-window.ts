import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useInView } from '../../ui/use-in-view.ts';
import type { Row } from './rows.ts';
import type { Reveal } from './use-place.ts';

/** The most rows in the page, so that a conversation of ten thousand messages costs no more than this. */
export const MOST_ROWS = 120;
const STEP = 40;
const NEAR_END_PX = 60;

/** Where the browser rounds, the end is this far away at most. */
const AT_END_PX = 2;

/**
 * The part of a transcript that is in the page. It grows in the direction of scrolling and drops rows at the other end,
 * and it follows the end unless the person has scrolled up, be it by a little. What is being read keeps its place while
 * rows above it come and go.
 * @param readMore reads older rows; null when all were read.
 */
export function useRowWindow(rows: readonly Row[], readMore: (() => void) | null) {
  // Positions count from the end, so that older rows that arrive move nothing.
  const [{ hidden, size }, setView] = useState({ hidden: 0, size: STEP });
  const [atEnd, setAtEnd] = useState(true);
  const scroller = useRef<HTMLDivElement | null>(null);
  const content = useRef<HTMLDivElement | null>(null);
  const following = useRef(true);
  /** Where the view was when it was last looked at or moved from here. */
  const lastTop = useRef(0);
  const anchor = useRef<{ key: string; top: number } | null>(null);
  const to = rows.length - hidden;
  const isEmpty = rows.length === 0;
  const shown = rows.slice(Math.max(0, to - size), to);

  const remember = useCallback(() => {
    const box = scroller.current;
    if (box === null) return;
    const edge = box.getBoundingClientRect().top;
    // An answer that grows under a finger that moves slowly must not pull the view back, and growth alone leaves nobody
    // behind.
    const isUp = box.scrollTop < lastTop.current;
    lastTop.current = box.scrollTop;
    const gap = gapOf(box);
    following.current = hidden === 0 && (isUp ? gap < AT_END_PX : following.current || gap < NEAR_END_PX);
    setAtEnd(following.current || (hidden === 0 && gap < NEAR_END_PX));
    const seen = [...box.querySelectorAll<HTMLElement>('[data-row]')].find(
      (row) => row.getBoundingClientRect().bottom > edge,
    );
    anchor.current =
      seen === undefined ? null : { key: seen.dataset['row'] ?? '', top: seen.getBoundingClientRect().top - edge };
  }, [hidden]);

  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    if (following.current) {
      lastTop.current = toEndOf(box);
      return;
    }
    const { key, top } = anchor.current ?? { key: '', top: 0 };
    const row = box.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`);
    if (row !== null) box.scrollTop += row.getBoundingClientRect().top - box.getBoundingClientRect().top - top;
  }, [shown.length, hidden, rows]);

  useEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (box === null || inner === null) return;
    const grown = new ResizeObserver(() => {
      if (following.current) lastTop.current = toEndOf(box);
      else setAtEnd(hidden === 0 && gapOf(box) < NEAR_END_PX);
    });
    grown.observe(inner);
    grown.observe(box);
    box.addEventListener('scroll', remember, { passive: true });
    return () => {
      grown.disconnect();
      box.removeEventListener('scroll', remember);
    };
  }, [remember, isEmpty, hidden]);

  const top = useInView(
    () => {
      if (following.current) remember();
      if (to - size <= 0) return readMore?.();
      // What is seen may be told after the view has moved on, so each step begins from the view as it is then.
      setView((now) =>
        rows.length - now.hidden - now.size <= 0
          ? now
          : {
              size: Math.min(MOST_ROWS, now.size + STEP),
              hidden: now.hidden + Math.max(0, now.size + STEP - MOST_ROWS),
            },
      );
    },
    `${rows.length} ${size} ${hidden} ${readMore !== null}`,
  );
  const bottom = useInView(() => {
    setView((now) =>
      now.hidden === 0 ? now : { size: Math.min(MOST_ROWS, now.size + STEP), hidden: Math.max(0, now.hidden - STEP) },
    );
  }, `${rows.length} ${size} ${hidden}`);
  const toEnd = () => {
    setView({ hidden: 0, size: STEP });
    following.current = true;
    setAtEnd(true);
    requestAnimationFrame(() => scroller.current?.scrollTo({ top: scroller.current.scrollHeight }));
  };
  const reveal: Reveal = (key, place) => {
    const at = rows.findIndex((row) => row.key === key);
    const box = scroller.current;
    const row = box?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`);
    following.current = false;
    if (box == null || row == null) {
      if (at >= 0) setView({ size: STEP, hidden: Math.max(0, rows.length - at - STEP / 2) });
      return false;
    }
    if (place !== null) {
      const seen = place(row);
      box.scrollTop += row.getBoundingClientRect().top - box.getBoundingClientRect().top + seen;
      remember();
    }
    return true;
  };
  return { rows: shown, scroller, content, top, bottom, atEnd, toEnd, reveal };
}

/** How much there is below what is seen, in pixels. */
function gapOf(box: HTMLElement): number {
  return box.scrollHeight - box.scrollTop - box.clientHeight;
}

/** @returns where the view is then. */
function toEndOf(box: HTMLElement): number {
  box.scrollTop = box.scrollHeight;
  return box.scrollTop;
}
