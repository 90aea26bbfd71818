import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from '../domain/setup-error.ts';
import { keepOldAssets } from './web/old-assets.ts';
import { viteArgs } from './web/vite-args.ts';
import { lastLine, runToEnd } from './services/program.ts';
import { withProgress } from './services/say.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules', '.cache', 'turnkeeper');
const BUILD_WITHIN_MS = 300_000;

/**
 * Builds the web app and returns its folder. A build takes some seconds, so it is kept under a hash of its sources.
 * @throws SetupError with the last line of the builder's output.
 */
export async function buildWeb(stopping: AbortSignal): Promise<string> {
  const folder = join(cache, `web-${await hashSources()}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const part = `${folder}.${process.pid}`;
  const { ok, output } = await withProgress(
    'building the web app',
    runToEnd(process.execPath, viteArgs(part), { cwd: root, withinMs: BUILD_WITHIN_MS, signal: stopping }),
  );
  stopping.throwIfAborted();
  if (!ok) throw new SetupError(`The web app could not be built: ${lastLine(output)}`);
  const folders = (await readdir(cache, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && /^web-[0-9a-f]{16}$/.test(entry.name))
    .map((entry) => join(cache, entry.name));
  await keepOldAssets(part, { folder, folders: folders.filter((other) => other !== folder) });
  // Two starts at once may both have built it: the second keeps the first one's folder.
  await rename(part, folder).catch(() => rm(part, { recursive: true, force: true }));
  return folder;
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(root, 'package-lock.json')).catch(() => ''));
  // Declaration files do not change the build, and every check writes one of them anew.
  const files = (await readdir(join(root, 'web'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(file.slice(root.length)).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}
