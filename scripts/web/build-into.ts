import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepOldAssets } from './old-assets.ts';
import { viteArgs } from './vite-args.ts';

/**
 * `npm run build:web -- FOLDER`: builds the web app for a deployment. A build that is in the folder already is replaced
 * when the new one is whole, and what its pages may still ask for stays.
 */
const [given] = process.argv.slice(2);
if (given === undefined) {
  process.stderr.write('turnkeeper: say where to build the web app: npm run build:web -- FOLDER\n');
  process.exit(2);
}
const folder = resolve(given);
const part = `${folder}.part`;
await mkdir(dirname(folder), { recursive: true });
const { status } = spawnSync(process.execPath, viteArgs(part), {
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
await keepOldAssets(part, { folder, folders: existsSync(folder) ? [folder] : [] });
await rm(`${folder}.old`, { recursive: true, force: true });
// Two renames: a process that starts in between finds no web app, and says so, rather than half of one.
if (existsSync(folder)) await rename(folder, `${folder}.old`);
await rename(part, folder);
await rm(`${folder}.old`, { recursive: true, force: true });
