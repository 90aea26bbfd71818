import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findOnPath, isExecutable, lastLine, runToEnd } from '../program.ts';
import { say, withProgress } from '../say.ts';

/** The newest version of the official CLI that `go install` accepts: later ones carry a local `replace`. */
const VERSION = 'v1.5.1';
const MODULE = `github.com/temporalio/cli/cmd/temporal@${VERSION}`;
const DOWNLOAD_STALL_MS = 60_000;
const BUILD_WITHIN_MS = 20 * 60_000;

/**
 * The official CLI: on PATH, in the user's cache, downloaded by the SDK, or built by Go into that cache; null when none
 * of these works.
 */
export async function findTemporal(stopping: AbortSignal): Promise<string | null> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'turnkeeper', `temporal-${VERSION}`);
  const cached = join(cache, process.platform === 'win32' ? 'temporal.exe' : 'temporal');
  const found = findOnPath('temporal') ?? (isExecutable(cached) ? cached : null);
  if (found !== null) return found;
  mkdirSync(cache, { recursive: true });
  for (const obtain of [download, build]) {
    // The file gets its name when it is complete, and two starts at once use different folders.
    const folder = mkdtempSync(join(cache, 'part-'));
    try {
      const file = await obtain(folder, stopping);
      stopping.throwIfAborted();
      if (file === null) continue;
      renameSync(file, cached);
      return cached;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return null;
}

/**
 * Lets the SDK download the official CLI, as for its test environment, and keeps the file. It gives up after a minute
 * without progress.
 */
async function download(folder: string, stopping: AbortSignal): Promise<string | null> {
  say('no `temporal` on PATH: downloading the official Temporal CLI');
  const script = `import { TestWorkflowEnvironment } from '@temporalio/testing';
    const env = await TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'cached-download', downloadDir: ${JSON.stringify(folder)} } } });
    await env.teardown();`;
  const stalled = new AbortController();
  const watch = setInterval(
    stallGuard(folder, () => stalled.abort()),
    1_000,
  );
  const { ok, output } = await withProgress(
    'downloading the Temporal CLI',
    runToEnd(process.execPath, ['--input-type=module', '-e', script], {
      cwd: join(import.meta.dirname, '..', '..', '..'),
      withinMs: BUILD_WITHIN_MS,
      signal: AbortSignal.any([stopping, stalled.signal]),
    }),
  );
  clearInterval(watch);
  const file = ok
    ? (readdirSync(folder)
        .map((name) => join(folder, name))
        .find(isExecutable) ?? null)
    : null;
  if (file === null)
    say(
      `the Temporal CLI could not be downloaded (${stalled.signal.aborted ? 'no progress for a minute' : reason(output)})`,
    );
  return file;
}

function stallGuard(folder: string, giveUp: () => void): () => void {
  let size = -1;
  let since = Date.now();
  return () => {
    const now = readdirSync(folder).reduce(
      (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
    if (now !== size) [size, since] = [now, Date.now()];
    else if (Date.now() - since > DOWNLOAD_STALL_MS) giveUp();
  };
}

function reason(output: string): string {
  return /^.*Error: (.*)$/m.exec(output)?.[1] ?? lastLine(output);
}

async function build(folder: string, stopping: AbortSignal): Promise<string | null> {
  const go = findOnPath('go');
  if (go === null) return null;
  say(`building the Temporal CLI with Go, once (about 2 minutes): go install ${MODULE}`);
  const { ok, output } = await withProgress(
    'building the Temporal CLI',
    runToEnd(go, ['install', MODULE], {
      env: { GOBIN: folder, GOFLAGS: '' },
      cwd: folder,
      withinMs: BUILD_WITHIN_MS,
      signal: stopping,
    }),
  );
  if (!ok) say(`go install failed: ${lastLine(output)}`);
  return ok ? join(folder, process.platform === 'win32' ? 'temporal.exe' : 'temporal') : null;
}
