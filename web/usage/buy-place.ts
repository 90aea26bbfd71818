import { useLayoutEffect, useSyncExternalStore } from 'react';

/** Where tokens can be bought, the most important place first. A screen shows the button once, in the first of them. */
const PLACES = ['banner', 'page', 'panel', 'pop-up', 'card'] as const;
export type BuyPlace = (typeof PLACES)[number];

const open = new Map<BuyPlace, number>();
const listeners = new Set<() => void>();

/** @returns whether this place shows the button. */
export function useBuyPlace(place: BuyPlace): boolean {
  useLayoutEffect(() => {
    count(place, 1);
    return () => count(place, -1);
  }, [place]);
  const first = useSyncExternalStore(subscribe, firstPlace);
  return first === null || PLACES.indexOf(place) <= PLACES.indexOf(first);
}

function firstPlace(): BuyPlace | null {
  return PLACES.find((place) => (open.get(place) ?? 0) > 0) ?? null;
}

function count(place: BuyPlace, by: 1 | -1): void {
  open.set(place, (open.get(place) ?? 0) + by);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
