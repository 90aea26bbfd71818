/** The fields of jest's `--json` that are used. */
export interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
}

/** A run that could not begin counts as failed. */
export const NOTHING_RAN: Summary = { passed: 0, failed: 1 };

/**
 * A suite that could not run counts as a failure. So does a run without any test, and one that jest ended with an
 * error.
 */
export function summarise(result: JestResult, exitCode: number): Summary {
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  const isWrong = failed === 0 && (result.numPassedTests === 0 || exitCode !== 0);
  return { passed: result.numPassedTests, failed: isWrong ? 1 : failed };
}

/** The last line of `npm test`. */
export function summaryLine({ passed, failed }: Summary): string {
  return `${passed} passed, ${failed} failed`;
}

/** Tests that were left out by name or by `skip`; null when none were. */
export function skippedLine({ numPendingTests, numTodoTests }: JestResult): string | null {
  const skipped = numPendingTests + numTodoTests;
  return skipped === 0 ? null : `${skipped} tests were not run (left out by name or skipped)`;
}
