import { ModernFakeTimers } from '@jest/fake-timers';
import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { countCosts, type Ledger } from '../../../scripts/costs/file-costs.ts';
import { setGlobals, type Globals } from './globals.ts';
import { leftOpen, openNow } from './left-open.ts';

type ProjectConfig = ConstructorParameters<typeof ModernFakeTimers>[0]['config'];
type RunFile = (
  globalConfig: unknown,
  config: ProjectConfig,
  environment: { readonly global: { console: Console } },
  loader: unknown,
  testPath: string,
  sendMessageToJest?: unknown,
) => Promise<{ readonly numFailingTests: number }>;

const require = createRequire(import.meta.url);
const globalsUrl = new URL('./globals.ts', import.meta.url).href;

// Tests import `@jest/globals`, whose types they need; outside jest's own loader that package only throws.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@jest/globals' && context.conditions.includes('import')
      ? { url: globalsUrl, shortCircuit: true }
      : next(specifier, context),
});

// Jest lets a process go by no longer listening to it, and gives it half a second to end. What a file left open has
// failed that file by then (left-open.ts); threads and connections that are shared by all files need not be waited for.
process.on('removeListener', (event) => {
  if (event === 'message' && process.send !== undefined && process.listenerCount('message') === 0) process.exit();
});

/**
 * Jest's `testRunner`. Its own circus runs the file, so hooks, time limits, `each` and results are jest's; but Node
 * loads it. Jest's loader begins anew with each file: 2.6 s of CPU for one that starts the service, instead of 0.9
 * here, where the program is loaded once for all files of a worker and stays warm. Only the environment's variables,
 * the timers and the console are put back between files: a test puts back what else it changes in the process.
 */
export default (async (globalConfig, config, environment, _loader, testPath, sendMessageToJest) => {
  const env = { ...process.env };
  const { console } = globalThis;
  const timers = new ModernFakeTimers({ config, global: globalThis });
  globalThis.console = environment.global.console;
  const before = openNow();
  const counting = process.env['TEST_COSTS'];
  const endCount = counting === undefined ? null : countCosts(testPath, JSON.parse(counting) as Ledger);
  try {
    const here = { global: globalThis };
    const result = await freshCircus()(globalConfig, config, here, loaderOf(timers), testPath, sendMessageToJest);
    // A file that fails may not have come to its end.
    const left = result.numFailingTests > 0 ? '' : await leftOpen(before);
    if (left !== '') throw new Error(`${testPath} leaves open what it has opened: ${left}`);
    return result;
  } finally {
    endCount?.();
    timers.dispose();
    globalThis.console = console;
    putBack(env);
  }
}) satisfies RunFile as RunFile;

/** In place: Node's own code reads these, and children inherit them. */
function putBack(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, env);
}

/** Circus keeps what it knows of a file in its modules and under symbols of the global object. */
function freshCircus(): RunFile {
  for (const key of Object.getOwnPropertySymbols(globalThis))
    if (/^(JEST_STATE_SYMBOL|EVENT_HANDLERS|TEST_TIMEOUT_SYMBOL)$/.test(key.description ?? ''))
      Reflect.deleteProperty(globalThis, key);
  for (const path of Object.keys(require.cache))
    if (path.includes('/node_modules/jest-circus/')) Reflect.deleteProperty(require.cache, path);
  return (require('jest-circus/runner') as { default: RunFile }).default;
}

/** What circus asks of jest's loader. */
function loaderOf(timers: ModernFakeTimers) {
  const jest: Globals['jest'] = {
    setTimeout(ms) {
      Reflect.set(globalThis, Symbol.for('TEST_TIMEOUT_SYMBOL'), ms);
    },
    useFakeTimers: (options) => timers.useFakeTimers(options),
    useRealTimers: () => timers.useRealTimers(),
    advanceTimersByTimeAsync: (ms) => timers.advanceTimersByTimeAsync(ms),
    getTimerCount: () => timers.getTimerCount(),
  };
  return {
    requireInternalModule: require,
    requireModule: require,
    setGlobalsForRuntime: (globals: Omit<Globals, 'jest'>) => setGlobals({ ...globals, jest }),
    unstable_shouldLoadAsEsm: () => true,
    unstable_importModule: (path: string) => import(urlOf(path)),
    enterTestCode() {},
    leaveTestCode() {},
  };
}

const timesRun = new Map<string, number>();

/** A module is evaluated once, so a file that runs again (`--watch`) gets another address. */
function urlOf(path: string): string {
  const url = pathToFileURL(path);
  const times = timesRun.get(path) ?? 0;
  timesRun.set(path, times + 1);
  if (times > 0) url.searchParams.set('run', String(times));
  return url.href;
}
