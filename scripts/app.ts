import { launch, type ServiceContext, type Service } from './services/service.ts';

/** How long the app may drain (its own limit is SHUTDOWN_GRACE_SECONDS and 5 s for requests) before it is killed. */
const REQUESTS_MAY_TAKE_MS = 15_000;
const SERVE_WITHIN_MS = 60_000;

/**
 * How the program runs, in the image too (a test compares). V8 sizes a heap by the machine's memory and glibc keeps
 * what was freed: without the last two and MALLOC a process that was busy for a minute holds twice as much, for no less
 * CPU (docs/performance.md, Memory).
 */
export const NODE_FLAGS: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=16',
  '--heap-growing-percent=40',
];
/** Of glibc: two arenas, and at most 128 KB kept at the end of one. */
export const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' } as const;

export interface AppSettings {
  readonly url: string;
  readonly port: number;
  readonly variables: Record<string, string>;
  readonly graceSeconds: number;
  /** Where its log lines go: our own output, unless it is wanted for something else. */
  readonly output?: 'file' | 'ours';
  /** Flags of Node beside NODE_FLAGS. */
  readonly nodeFlags?: readonly string[];
  /** By which it is known where several run (`app`). */
  readonly name?: string;
  /** Where it says 200 once it takes turns (`/health/ready`); a worker has its figures only. */
  readonly readyPath?: string;
}

/**
 * The program itself, as a process of its own on Node 24, in the state of taking turns.
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
    env: { ...MALLOC, ...variables },
    stopWithinMs: graceSeconds * 1_000 + REQUESTS_MAY_TAKE_MS,
    isReady: async () => (await fetch(url + readyPath, { signal: AbortSignal.timeout(2_500) })).ok,
    withinMs: SERVE_WITHIN_MS,
  });
}
