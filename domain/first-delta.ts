/**
 * The bounds by which turns are counted by the time to their first delta, in milliseconds: each counts those that were
 * below it and not below the one before. Counts are kept under their bound, so a bound may be added and none moved.
 */
export const FIRST_DELTA_BOUNDS = [
  100, 150, 200, 250, 300, 400, 500, 650, 800, 1_000, 1_250, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 6_500, 8_000,
  10_000, 15_000, 20_000, 30_000, 45_000, 60_000, 120_000, 600_000,
] as const;

/** How many turns had their first delta below `belowMs`, and not below the bound before. */
export interface FirstDeltaCount {
  readonly belowMs: number;
  readonly turns: number;
}

/** Of how many turns it is known, and by when half and 95 of 100 had their first delta: milliseconds. */
export interface FirstDelta {
  readonly turns: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** @returns null for no turns. Within a bound turns count as evenly spread, so a figure is off by a step at most. */
export function firstDeltaOf(counts: readonly FirstDeltaCount[]): FirstDelta | null {
  const turns = counts.reduce((sum, count) => sum + count.turns, 0);
  if (turns === 0) return null;
  const byBound = new Map<number, number>();
  for (const { belowMs, turns: more } of counts) byBound.set(belowMs, (byBound.get(belowMs) ?? 0) + more);
  const sorted = [...byBound].sort(([a], [b]) => a - b);
  return { turns, p50Ms: sharePoint(sorted, turns * 0.5), p95Ms: sharePoint(sorted, turns * 0.95) };
}

function sharePoint(sorted: readonly (readonly [belowMs: number, turns: number])[], wanted: number): number {
  let before = 0;
  for (const [belowMs, turns] of sorted) {
    if (before + turns >= wanted) {
      const from = FIRST_DELTA_BOUNDS.findLast((bound) => bound < belowMs) ?? 0;
      return Math.round(from + ((wanted - before) / turns) * (belowMs - from));
    }
    before += turns;
  }
  throw new Error('a share of some turns must lie among them');
}
