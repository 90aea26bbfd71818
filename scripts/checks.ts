import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { say } from './services/say.ts';

const TYPESCRIPT = 'node_modules/typescript/bin/tsc';
const CACHE = 'node_modules/.cache/turnkeeper';

/** The checks that need no running program, the quickest first. */
const CHECKS: Record<string, readonly (readonly string[])[]> = {
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
  types: [
    ['web/make-types.ts'],
    [TYPESCRIPT, '--noEmit'],
    [TYPESCRIPT, '--noEmit', '-p', 'web'],
    [TYPESCRIPT, '--noEmit', '-p', 'test/browser'],
  ],
  lint: [['node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0']],
};

/** Stops at the first check that fails, and names it. */
export async function checksPass(stopping: AbortSignal): Promise<boolean> {
  for (const [name, commands] of Object.entries(CHECKS)) {
    const began = Date.now();
    for (const command of commands) {
      if (await runs(command, stopping)) continue;
      say(`the check of ${name} failed${name === 'format' ? ': `npm run format` mends it' : ''}`);
      return false;
    }
    say(`${name}: fine, ${Math.round((Date.now() - began) / 1000)} s`);
  }
  return true;
}

async function runs(command: readonly string[], stopping: AbortSignal): Promise<boolean> {
  const program = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...command], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const end = () => program.kill('SIGTERM');
  stopping.addEventListener('abort', end);
  const [code] = (await once(program, 'close')) as [number | null];
  stopping.removeEventListener('abort', end);
  stopping.throwIfAborted();
  return code === 0;
}

if (import.meta.main) {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
  process.exit((await checksPass(stopping.signal).catch(() => false)) ? 0 : 1);
}
