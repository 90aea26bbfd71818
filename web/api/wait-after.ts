const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 10_000;

/**
 * Milliseconds to wait before the next try.
 * @param failures how many in a row, from 1.
 * @param random 0 to 1: it spreads the tabs that lost the same server.
 */
export function waitAfter(failures: number, random: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10)) * (0.75 + random / 2);
}
