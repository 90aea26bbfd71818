/** The median of several measurements, with the least and the most of them. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * The value below which `share` of the samples lie (nearest rank).
 * @throws RangeError without samples.
 */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (found === undefined) throw new RangeError('no samples');
  return found;
}

/**
 * The value with half of the samples on each side.
 * @throws RangeError without samples.
 */
export function median(samples: readonly number[]): number {
  return (
    (percentile(samples, 0.5) -
      percentile(
        samples.map((value) => -value),
        0.5,
      )) /
    2
  );
}

export function spreadOf(samples: readonly number[]): Spread {
  return { median: median(samples), least: percentile(samples, 0), most: percentile(samples, 1) };
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
