import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SetupError } from '../../domain/setup-error.ts';
import { findOnPath, isExecutable, lastLine, runToEnd } from './program.ts';
import { say, withProgress } from './say.ts';

const VERSION = 'v3.19.2';
const BUILD_WITHIN_MS = 25 * 60_000;
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'turnkeeper', `helm-${VERSION}`);

/** Helm, where it is at hand; null: `npm run test:helm` builds it. */
export function helmAtHand(): string | null {
  const cached = join(cache, 'helm');
  return isExecutable(cached) ? cached : findOnPath('helm');
}

/**
 * Helm: from the user's cache, on PATH, or built by Go into that cache.
 * @throws SetupError when it cannot be had. Nobody may take a check that did not run for one that found nothing.
 */
export async function findHelm(stopping: AbortSignal): Promise<string> {
  const found = helmAtHand();
  if (found !== null) return found;
  const go = findOnPath('go');
  if (go === null)
    throw new SetupError('The chart was not rendered: there is no helm on PATH, and no `go` to build it.');
  mkdirSync(cache, { recursive: true });
  // The file gets its name when it is complete, and two starts at once use different folders.
  const folder = mkdtempSync(join(cache, 'part-'));
  try {
    const name = `helm.sh/helm/v3/cmd/helm@${VERSION}`;
    say(`building Helm with Go, once (about 6 minutes): go install ${name}`);
    const options = { env: { GOBIN: folder, GOFLAGS: '' }, cwd: folder, withinMs: BUILD_WITHIN_MS, signal: stopping };
    const { ok, output } = await withProgress('building Helm', runToEnd(go, ['install', name], options));
    if (!ok) throw new SetupError(`The chart was not rendered: go install failed (${lastLine(output)}).`);
    renameSync(join(folder, 'helm'), join(cache, 'helm'));
    return join(cache, 'helm');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
