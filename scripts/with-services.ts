import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../domain/setup-error.ts';
import { checksPass } from './checks.ts';
import { costsTable, readCosts, type Ledger } from './costs/file-costs.ts';
import { FAST_LANES, needsBrowser } from './lanes.ts';
import { findTestBrowser } from './services/chromium.ts';
import { say } from './services/say.ts';
import { ThrowAway } from './throw-away.ts';
import { buildWeb } from './web-build.ts';
import {
  failureLines,
  filesToRepeat,
  NOTHING_RAN,
  skippedLine,
  summarise,
  summaryLine,
  unsteadyLine,
  withRepeated,
  type JestResult,
  type Summary,
} from './summary.ts';

/** Why a run stops without another word: the check has been named. */
const CHECK_FAILED = 'a check failed';

const OWN_OPTIONS = ['--fast', '--keep', '--profile'];

/**
 * `npm test [-- jest arguments]`: checks format, types and lint while it starts throw-away services, then runs jest. A
 * run narrowed by arguments leaves the checks out. The whole run repeats a few failed files alone, and names the tests
 * that pass only then. `--fast` runs only the tests that need no services. `--keep` leaves the services running until
 * Ctrl-C and prints the variables to use them. `--profile` runs one file after the other and says what each has cost
 * (Linux only). The last line is always `N passed, N failed`; skipped tests are counted
 * on a line of their own.
 */
async function main(args: string[]): Promise<number> {
  const [fast, keep, profile] = OWN_OPTIONS.map((option) => args.includes(option));
  const jestArgs = args.filter((arg) => !OWN_OPTIONS.includes(arg)).concat(profile ? ['--runInBand'] : []);
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  let services: ThrowAway | undefined;
  let summary = NOTHING_RAN;
  try {
    services = await ThrowAway.open(stopping.signal);
    const { dataDir } = services;
    const [variables] = await Promise.all([
      fast ? {} : prepare(services, { browser: keep || needsBrowser(jestArgs), stopping: stopping.signal }),
      args.length === 0 ? check(stopping) : undefined,
    ]);
    stopping.signal.throwIfAborted();
    if (keep) return await keepRunning(variables, stopping.signal);
    const ledger: Ledger = { path: join(dataDir, 'costs.jsonl'), services: services.pids() };
    const counting = profile ? { TEST_COSTS: JSON.stringify(ledger) } : {};
    const run = { dataDir, variables: { ...variables, ...counting }, stopping: stopping.signal };
    const lanes = fast && !jestArgs.some((arg) => !arg.startsWith('-')) ? FAST_LANES : [];
    const outcome = await runJest({ ...run, args: [...lanes, ...jestArgs] });
    if (profile) process.stdout.write(`${costsTable(readCosts(ledger.path)).join('\n')}\n`);
    summary = args.length === 0 ? await repeatFailed(outcome, run) : summaryOf(outcome);
  } catch (error) {
    if (stopping.signal.reason === CHECK_FAILED) return 1;
    if (stopping.signal.aborted) say('interrupted');
    else say(error instanceof SetupError ? error.message : String(error instanceof Error ? error.stack : error));
    // The checks may still run.
    stopping.abort();
  } finally {
    await services?.close();
    if (!keep) process.stdout.write(`${summaryLine(summary)}\n`);
  }
  return summary.failed === 0 ? 0 : 1;
}

/** The checks go on beside the preparations, which wait for downloads and starts more than they work. */
async function check(stopping: AbortController): Promise<void> {
  if (!(await checksPass(stopping.signal))) stopping.abort(CHECK_FAILED);
}

/** @returns the variables by which tests find the services, the browser and the built web app. */
async function prepare(
  services: ThrowAway,
  { browser, stopping }: { readonly browser: boolean; readonly stopping: AbortSignal },
): Promise<Record<string, string>> {
  const found = await services.start();
  if (!browser) return found;
  // The builder begins when the services are up: it would slow their start by more than it takes.
  return { ...found, TEST_CHROMIUM: await findTestBrowser(stopping), TEST_WEB_DIR: await buildWeb(stopping) };
}

async function keepRunning(variables: Record<string, string>, stopping: AbortSignal): Promise<number> {
  for (const [name, value] of Object.entries(variables)) process.stdout.write(`export ${name}=${value}\n`);
  say('Ctrl-C stops the services');
  await new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve()));
  return 0;
}

/** How long jest may take to end when it is interrupted. */
const JEST_ENDS_WITHIN_MS = 5_000;

interface Run {
  readonly dataDir: string;
  readonly variables: Record<string, string>;
  readonly stopping: AbortSignal;
}

interface Outcome {
  readonly result: JestResult;
  readonly exitCode: number;
}

/** A machine that stands still for a minute makes any test fail, also one that runs alone. */
const REPEATS = 2;

/** What failed beside other tests runs again alone, at most twice; what fails then, too, has failed. */
async function repeatFailed(whole: Outcome, run: Run): Promise<Summary> {
  let outcome = whole;
  for (let left = REPEATS; left > 0; left -= 1) {
    const files = filesToRepeat(outcome.result);
    if (files.length === 0) break;
    failureLines(outcome.result).forEach(say);
    say(`files that failed run again alone: ${files.length}`);
    const args = ['--runInBand', '--runTestsByPath', ...files];
    const again = await runJest({ ...run, args });
    outcome = { result: withRepeated(outcome.result, again.result), exitCode: again.exitCode };
  }
  const unsteady = unsteadyLine(whole.result, outcome.result);
  if (unsteady !== null) say(unsteady);
  return summaryOf(outcome);
}

function summaryOf({ result, exitCode }: Outcome): Summary {
  failureLines(result).forEach(say);
  const skipped = skippedLine(result);
  if (skipped !== null) say(skipped);
  return summarise(result, exitCode);
}

async function runJest({ dataDir, variables, stopping, args }: Run & { readonly args: string[] }): Promise<Outcome> {
  const resultFile = join(dataDir, 'result.json');
  const jest = spawn(
    process.execPath,
    // A file that fails may leave a process that holds jest's pipes: without force, jest would wait for it for ever.
    ['node_modules/jest/bin/jest.js', '--forceExit', '--json', `--outputFile=${resultFile}`, ...args],
    {
      // Standard output would repeat the JSON of the file; what people read goes to standard error.
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        ...variables,
        // NODE_OPTIONS is kept, because a debugger is set there too.
        NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --disable-warning=ExperimentalWarning`,
      },
    },
  );
  const end = () => {
    jest.kill('SIGTERM');
    setTimeout(() => jest.kill('SIGKILL'), JEST_ENDS_WITHIN_MS).unref();
  };
  stopping.addEventListener('abort', end);
  if (stopping.aborted) end();
  const exitCode = await new Promise<number>((resolve) => {
    jest.once('error', () => resolve(1));
    jest.once('close', (code) => resolve(code ?? 1));
  });
  stopping.throwIfAborted();
  return { result: JSON.parse(readFileSync(resultFile, 'utf8')) as JestResult, exitCode };
}

process.exit(await main(process.argv.slice(2)));
