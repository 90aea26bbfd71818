/**
 * A movement with its sign: what is debited is less, everywhere. Zero is a dash.
 * @param written writes a number.
 */
export function signed(delta: number, written: (value: number) => string): string {
  return delta === 0 ? '–' : delta > 0 ? `+${written(delta)}` : written(delta);
}
