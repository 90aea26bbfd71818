import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { say, withProgress } from './say.ts';
import { findOnPath, isExecutable, runToEnd } from './service.ts';

/** The newest version of the official CLI that `go install` accepts: later ones carry a local `replace`. */
const VERSION = 'v1.5.1';
const DOWNLOAD_STALL_MS = 60_000;

/** The official CLI: on PATH, in the user's cache, downloaded by the SDK, or built by Go into that cache. Null: none of these. */
export async function findTemporal(): Promise<string | null> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'turnkeeper', `temporal-${VERSION}`);
  const cached = join(cache, process.platform === 'win32' ? 'temporal.exe' : 'temporal');
  const found = findOnPath('temporal') ?? (isExecutable(cached) ? cached : null);
  if (found !== null) return found;
  mkdirSync(cache, { recursive: true });
  if (await download(cache, cached) || await build(cache, cached)) return cached;
  return null;
}

/** The SDK downloads the official CLI for its test environment; we keep the file. Given up after a minute without progress. */
async function download(cache: string, target: string): Promise<boolean> {
  const folder = join(cache, `download-${process.pid}`);
  mkdirSync(folder);
  say('no `temporal` on PATH: downloading the official CLI');
  const script = `import { TestWorkflowEnvironment } from '@temporalio/testing';
    const env = await TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'cached-download', downloadDir: ${JSON.stringify(folder)} } } });
    await env.teardown();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore', cwd: new URL('../..', import.meta.url) });
  const ended = new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
  const watch = setInterval(stallGuard(folder, () => child.kill('SIGKILL')), 1_000);
  const ok = await withProgress('downloading the Temporal CLI', ended);
  clearInterval(watch);
  const file = ok ? readdirSync(folder).map((name) => join(folder, name)).find(isExecutable) : undefined;
  if (file !== undefined) renameSync(file, target);
  rmSync(folder, { recursive: true, force: true });
  if (file === undefined) say('the Temporal CLI could not be downloaded');
  return file !== undefined;
}

function stallGuard(folder: string, giveUp: () => void): () => void {
  let size = -1;
  let since = Date.now();
  return () => {
    const now = readdirSync(folder).reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
    if (now !== size) [size, since] = [now, Date.now()];
    else if (Date.now() - since > DOWNLOAD_STALL_MS) giveUp();
  };
}

async function build(cache: string, target: string): Promise<boolean> {
  const go = findOnPath('go');
  if (go === null) return false;
  const folder = join(cache, `build-${process.pid}`);
  say(`building the Temporal CLI with Go, once (about 2 minutes): go install github.com/temporalio/cli/cmd/temporal@${VERSION}`);
  const { ok, output } = await withProgress('building the Temporal CLI', runToEnd(
    go, ['install', `github.com/temporalio/cli/cmd/temporal@${VERSION}`], { env: { GOBIN: folder, GOFLAGS: '' }, cwd: cache, withinMs: 20 * 60_000 }));
  if (ok) renameSync(join(folder, 'temporal'), target);
  else say(`go install failed: ${output.trim().split('\n').at(-1) ?? ''}`);
  rmSync(folder, { recursive: true, force: true });
  return ok;
}
