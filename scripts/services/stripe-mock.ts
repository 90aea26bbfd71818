import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SetupError } from '../../domain/setup-error.ts';
import { findOnPath, isExecutable, lastLine, runToEnd } from './program.ts';
import { say } from './say.ts';

/** It is made from the description of Stripe's API that the pinned version of our client is made from. */
const VERSION = 'v0.203.0';
const BUILD_WITHIN_MS = 5 * 60_000;

/**
 * Stripe's own judge of requests, from the user's cache, or built by Go into it.
 * @throws SetupError when it cannot be had. Nobody may take a check that did not run for one that found nothing.
 */
export async function findStripeMock(stopping: AbortSignal): Promise<string> {
  const cache = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'turnkeeper',
    `stripe-mock-${VERSION}`,
  );
  const cached = join(cache, 'stripe-mock');
  if (isExecutable(cached)) return cached;
  const go = findOnPath('go');
  if (go === null)
    throw new SetupError('Requests to Stripe are not checked: there is no `go` on PATH to build stripe-mock.');
  mkdirSync(cache, { recursive: true });
  // The file gets its name when it is complete, and two starts at once use different folders.
  const folder = mkdtempSync(join(cache, 'part-'));
  try {
    const name = `github.com/stripe/stripe-mock@${VERSION}`;
    say(`building stripe-mock with Go, once (about a minute): go install ${name}`);
    const { ok, output } = await runToEnd(go, ['install', name], {
      env: { GOBIN: folder, GOFLAGS: '' },
      cwd: folder,
      withinMs: BUILD_WITHIN_MS,
      signal: stopping,
    });
    if (!ok) throw new SetupError(`Requests to Stripe are not checked: go install failed (${lastLine(output)}).`);
    renameSync(join(folder, 'stripe-mock'), cached);
    return cached;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
