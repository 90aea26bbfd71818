import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { plainEnvironment } from './environment.ts';

/** The full path of the first of `names` that is on PATH. */
export function findOnPath(...names: string[]): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable) ?? null;
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

export interface RunOptions {
  /** Beside the plain environment: our secrets reach only who is given them here. */
  readonly env?: Record<string, string>;
  /** User to run as. */
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
  readonly cwd?: string;
  readonly withinMs: number;
  /** Aborting it kills the program. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a program to its end.
 * @returns whether it succeeded, and the last 10,000 characters it wrote.
 */
export async function runToEnd(
  file: string,
  args: readonly string[],
  options: RunOptions,
): Promise<{ ok: boolean; output: string }> {
  // The child has a process group of its own, so that what it started (a compiler, a package's scripts) ends with it.
  const child = spawn(file, [...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment({ network: true }), ...options.env },
    ...options.as,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  };
  const timer = setTimeout(kill, options.withinMs);
  options.signal?.addEventListener('abort', kill);
  if (options.signal?.aborted === true) kill();
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output = (output + data.toString()).slice(-10_000);
    });
  const ok = await new Promise<boolean>((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', kill);
  return { ok, output };
}

/** The last line that a program wrote, to be quoted in an error. */
export function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}
