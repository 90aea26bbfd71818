import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { say } from './services/say.ts';

/**
 * The native compiler takes a third of the CPU time of the one that is written in JavaScript (`typescript`), whose API
 * the generator of the API's types needs.
 */
const TYPES = ['node_modules/@typescript/native/bin/tsc', '--noEmit', '--singleThreaded'];
const CACHE = 'node_modules/.cache/turnkeeper';

type Command = readonly string[];

/** The web app's pages mean nothing to the checks without the types of the API that they call. */
const MAKE_TYPES: Command = ['web/make-types.ts'];

/**
 * The checks that need no running program. Each uses one core, so the two lines go on beside each other; in a line, the
 * quickest comes first.
 */
const LINES: readonly Record<string, readonly Command[]>[] = [
  {
    format: [
      [
        'node_modules/prettier/bin/prettier.cjs',
        '--check',
        '--log-level=warn',
        '--cache',
        `--cache-location=${CACHE}/format.json`,
        '.',
      ],
    ],
    types: [TYPES, [...TYPES, '-p', 'web'], [...TYPES, '-p', 'test/browser']],
  },
  { lint: [['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings', '--threads=1', '.']] },
];

/** Names the check that fails, and ends the one beside it. */
export async function checksPass(stopping: AbortSignal): Promise<boolean> {
  const failed = new AbortController();
  const ending = AbortSignal.any([stopping, failed.signal]);
  const passes = async (name: string, commands: readonly Command[]): Promise<void> => {
    const began = Date.now();
    for (const command of commands) {
      ending.throwIfAborted();
      if (await runs(command, ending)) continue;
      ending.throwIfAborted();
      say(`the check of ${name} failed${name === 'format' ? ': `npm run format` mends it' : ''}`);
      failed.abort();
      ending.throwIfAborted();
    }
    say(`${name}: fine, ${Math.round((Date.now() - began) / 1000)} s`);
  };
  const passAll = async (line: Record<string, readonly Command[]>) => {
    for (const [name, commands] of Object.entries(line)) await passes(name, commands);
  };
  await Promise.allSettled([
    passes('types of the API', [MAKE_TYPES]).then(() => Promise.allSettled(LINES.map(passAll))),
  ]);
  stopping.throwIfAborted();
  return !failed.signal.aborted;
}

async function runs(command: Command, ending: AbortSignal): Promise<boolean> {
  const program = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...command], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const end = () => program.kill('SIGTERM');
  ending.addEventListener('abort', end);
  const [code] = (await once(program, 'close')) as [number | null];
  ending.removeEventListener('abort', end);
  return code === 0;
}

if (import.meta.main) {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
  process.exit((await checksPass(stopping.signal).catch(() => false)) ? 0 : 1);
}
