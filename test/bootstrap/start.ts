import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../scripts/services/identity.ts';
import { readServices, type Stored } from '../../scripts/services/registry.ts';

const root = join(import.meta.dirname, '../..');

/** A running `npm start`, and what it printed. */
export interface Start {
  readonly child: ChildProcess;
  output(): string;
  /**
   * Waits for the banner. `address` is the app's, with the demo's secret if there is one.
   * @throws with the whole output when the start ends before.
   */
  serving(): Promise<{ url: string; address: string; curl: string; userToken: string }>;
  /** @returns the exit code; -1 when a signal ended it. */
  ended(): Promise<number>;
}

const NPM_START = ['node', 'scripts/start.mjs', 'start'] as const;
/** Runs below a subreaper (prctl 36), which gets all orphans, as the first process of a container does. */
const belowSubreaper = (reaping: string) =>
  [
    'perl',
    '-e',
    `syscall(shift() + 0, 36, 1, 0, 0, 0) == 0 or die "prctl: $!"; fork or exec @ARGV; ${reaping} sleep while 1`,
    process.arch === 'arm64' ? '167' : '157',
    ...NPM_START,
  ] as const;
const WAYS = {
  node: NPM_START,
  npm: ['npm', 'start'],
  reaped: belowSubreaper('$SIG{CHLD} = "IGNORE";'),
  unreaped: belowSubreaper(''),
} as const;

/**
 * @param how `node`: what `npm start` runs, so that a signal reaches it alone; `npm`: through npm; `reaped` and
 *   `unreaped`: killed processes disappear at once, or stay as zombies.
 */
export function start(dataDir: string, env: Record<string, string> = {}, how: keyof typeof WAYS = 'node'): Start {
  const [file, ...args] = WAYS[how];
  // Variables of this test run's services are left out, and those of a developer's .env: a variable that is set, even
  // to nothing, wins over the file.
  const clean = {
    NODE_OPTIONS: '',
    DATABASE_URL: '',
    REDIS_URL: '',
    REDIS_HOST: '',
    TEMPORAL_ADDRESS: '',
    OPENAI_API_KEY: '',
    OPENAI_BASE_URL: '',
    HOST: '',
    MODELS: '',
    LOG_FILE: '',
  };
  const child = spawn(file, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...clean, PORT: '0', SHUTDOWN_GRACE_SECONDS: '1', DATA_DIR: dataDir, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output += data.toString();
    });
  // Output may come until `close`. But after a kill -9 the app lives on and holds the pipe, so `close` does not come at
  // all.
  const exit = new Promise<number>((resolve) =>
    child.once('exit', (code) => {
      void Promise.race([once(child, 'close'), sleep(500)]).then(() => resolve(code ?? -1));
    }),
  );
  return {
    child,
    output: () => output,
    ended: () => exit,
    async serving() {
      const ended = exit.then(() => true);
      while (!output.includes('Ctrl-C stops everything.')) {
        if (await Promise.race([ended, sleep(50).then(() => false)])) throw new Error(`the start ended:\n${output}`);
      }
      const address = find(/app {2,}(http:\S+)/);
      return {
        url: new URL(address).origin,
        address,
        curl: find(/^ +(curl .*)$/m, ''),
        userToken: find(/demo user .*Bearer (\S+)/, ''),
      };
    },
  };

  function find(pattern: RegExp, fallback?: string): string {
    const found = pattern.exec(output)?.[1] ?? fallback;
    if (found === undefined) throw new Error(`${String(pattern)} is not in the banner:\n${output}`);
    return found;
  }
}

export function stackOf(dataDir: string): Stored {
  const stored = readServices(dataDir);
  if (stored === null) throw new Error(`no services.json in ${dataDir}`);
  return stored;
}

/** The stack's processes that are alive, including the supervisor. */
export function living({ owner, services }: Stored): string[] {
  return [{ ...owner, name: 'supervisor' }, ...services].filter(isAlive).map(({ name }) => name);
}

/** Runs a line as a person's shell does. */
export async function paste(line: string): Promise<string> {
  const shell = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  shell.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  await once(shell, 'close');
  return output;
}
