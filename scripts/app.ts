import { wholeEnvironment } from './services/environment.ts';
import { launch, type ServiceContext, type Service } from './services/service.ts';

/**
 * The app is killed when it still runs this long after SHUTDOWN_GRACE_SECONDS. Its own limit is 5 s after them, for
 * requests.
 */
const REQUESTS_MAY_TAKE_MS = 15_000;
const SERVE_WITHIN_MS = 60_000;

/**
 * Node's flags for the program; the image has the same, and a test compares. V8 sizes a heap by the machine's memory
 * and glibc keeps what was freed: without the two flags of sizes and MALLOC, a process that was busy for a minute holds
 * twice as much memory and saves no CPU (docs/performance.md, Memory). V8 has one thread that helps to collect garbage
 * and to compile, not four: on two cores they took the CPU from those that they helped, a tenth of what the app uses.
 */
export const NODE_FLAGS: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=16',
  '--heap-growing-percent=40',
  '--v8-pool-size=1',
];
/** glibc's settings: two arenas, and at most 128 KB kept at the end of one. */
export const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' } as const;

export interface AppSettings {
  readonly url: string;
  readonly port: number;
  readonly variables: Record<string, string>;
  readonly graceSeconds: number;
  /** Where its log lines go: a file, or our own output (the default). */
  readonly output?: 'file' | 'ours';
  /** Node's flags in addition to NODE_FLAGS. */
  readonly nodeFlags?: readonly string[];
  /** Tells several apps apart; `app` by default. */
  readonly name?: string;
  /** The path that answers 200 once the app takes turns; a worker has only its metrics. */
  readonly readyPath?: string;
}

/**
 * Starts the program as a process of its own on Node 24 and waits until it takes turns.
 * @throws SetupError when it does not come up.
 */
export async function startApp(
  context: ServiceContext,
  {
    url,
    port,
    variables,
    graceSeconds,
    output = 'ours',
    nodeFlags = [],
    name = 'app',
    readyPath = '/health/ready',
  }: AppSettings,
): Promise<Service> {
  return launch(context, {
    name,
    url,
    port,
    label: 'the app',
    output,
    file: process.execPath,
    args: [...NODE_FLAGS, ...nodeFlags, 'main.ts'],
    cwd: process.cwd(),
    env: { ...wholeEnvironment(), ...MALLOC, ...variables },
    stopWithinMs: graceSeconds * 1_000 + REQUESTS_MAY_TAKE_MS,
    isReady: async () => (await fetch(url + readyPath, { signal: AbortSignal.timeout(2_500) })).ok,
    withinMs: SERVE_WITHIN_MS,
  });
}
