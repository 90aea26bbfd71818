import { useEffect, useSyncExternalStore } from 'react';
import type { Reveal } from '../transcript/use-place.ts';
import type { Row } from '../transcript/rows.ts';

/** Where the focus belongs once another question or answer has taken a place. */
export interface Turned {
  readonly turnId: string;
  readonly of: 'questions' | 'answers';
  readonly to: 'previous' | 'next';
}

let turned: Turned | null = null;
const listeners = new Set<() => void>();

export function turnTo(to: Turned | null): void {
  turned = to;
  for (const listener of listeners) listener();
}

export function lastTurned(): Turned | null {
  return turned;
}

/** Brings the row that was turned to into the page, reading older ones until it is there; its pager takes the focus. */
export function useTurned(
  rows: readonly Row[],
  { reveal, readMore }: { reveal: Reveal; readMore: (() => void) | null },
): void {
  const wanted = useSyncExternalStore(subscribe, lastTurned);
  useEffect(() => {
    if (wanted === null) return;
    const its = rows.filter(({ turnId }) => turnId === wanted.turnId);
    const row = its.find(({ kind }) => (kind === 'answer') === (wanted.of === 'answers')) ?? its[0];
    if (row === undefined) readMore?.();
    else reveal(row.key, null);
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
