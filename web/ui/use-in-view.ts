import { useCallback, useEffect, useRef } from 'react';

const MARGIN = '400px';

/**
 * Calls `onSeen` when the element comes near the visible part of what scrolls it, and again when `again` changes while
 * it is still there.
 * @returns the ref for the element.
 */
export function useInView(onSeen: () => void, again: unknown): (element: HTMLElement | null) => void {
  const seen = useRef(onSeen);
  useEffect(() => {
    seen.current = onSeen;
  });
  const observer = useRef<IntersectionObserver | null>(null);
  const watched = useRef<HTMLElement | null>(null);
  useEffect(() => {
    if (watched.current === null) return;
    observer.current?.unobserve(watched.current);
    observer.current?.observe(watched.current);
  }, [again]);
  return useCallback((element) => {
    watched.current = element;
    observer.current?.disconnect();
    if (element === null) return;
    observer.current = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) seen.current();
      },
      { root: scrollerOf(element), rootMargin: MARGIN },
    );
    observer.current.observe(element);
  }, []);
}

function scrollerOf(element: HTMLElement): HTMLElement | null {
  for (let parent = element.parentElement; parent !== null; parent = parent.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(parent).overflowY)) return parent;
  }
  return null;
}
