import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** The fields of jest's `--json` that are used. */
export interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    /** The path of the test file. */
    readonly name: string;
    readonly status: string;
    /** Why the file could not run; else what jest printed of it. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
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

/** What failed, and the line that says why: what was printed before may be long, and is cut where CI shows it. */
export function failureLines({ testResults }: JestResult): string[] {
  return testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const failed = assertionResults.filter(({ status }) => status === 'failed');
      const file = relative(process.cwd(), name);
      if (failed.length === 0) return [`failed: ${file}: ${firstLine(message)}`];
      return failed.map((test) => `failed: ${file}: ${test.fullName}: ${firstLine(test.failureMessages[0] ?? '')}`);
    });
}

/** Without colours. An expectation's first line names only its matcher, so the values follow it. */
function firstLine(text: string): string {
  const lines = stripVTControlCharacters(text).split('\n');
  const [first = '', ...rest] = lines.map((line) => line.trim()).filter((line) => line !== '');
  const values = rest.filter((line) => /^(Expected|Received)\b/.test(line)).slice(0, 2);
  return [first, ...values].join(' ').slice(0, LONGEST_REASON);
}

const LONGEST_REASON = 300;

/** More failed files than these are a fault of the code, and not of a busy machine. */
const REPEATED_AT_MOST = 6;

/** The failed files that a whole run repeats alone, because a busy machine can make a test that waits fail. */
export function filesToRepeat({ testResults }: JestResult): string[] {
  const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
  return failed.length <= REPEATED_AT_MOST ? failed : [];
}

/** The run, with the outcomes of the files that were repeated in place of the first ones. */
export function withRepeated(first: JestResult, second: JestResult): JestResult {
  const repeated = filesToRepeat(first);
  const kept = first.testResults.filter(({ name }) => !repeated.includes(name));
  const passedBefore = first.testResults
    .filter(({ name }) => repeated.includes(name))
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed');
  return {
    ...first,
    numPassedTests: first.numPassedTests - passedBefore.length + second.numPassedTests,
    numFailedTests: second.numFailedTests,
    numRuntimeErrorTestSuites: second.numRuntimeErrorTestSuites,
    testResults: [...kept, ...second.testResults],
  };
}

/** The tests that passed only when their file ran alone; null when there are none. */
export function unsteadyLine(first: JestResult, second: JestResult): string | null {
  const passed = new Set(namesOf(second, 'passed'));
  const unsteady = namesOf(first, 'failed').filter((name) => passed.has(name));
  if (unsteady.length === 0) return null;
  return `passed only when run again alone, which is a fault of the test or of the code: ${unsteady.join('; ')}`;
}

function namesOf({ testResults }: JestResult, status: string): string[] {
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter((test) => test.status === status)
    .map(({ fullName }) => fullName);
}
