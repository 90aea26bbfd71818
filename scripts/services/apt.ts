import { findOnPath, lastLine, runToEnd, type RunOptions } from './program.ts';
import { say, withProgress } from './say.ts';

/** RUNLEVEL=1 keeps a package from starting its own daemon. */
const ENV = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
/** A new machine may be updating itself. */
const WAIT_FOR_LOCK = ['-o', 'DPkg::Lock::Timeout=300'];

/** apt-get locks the whole machine, so we run one at a time. */
let before: Promise<unknown> = Promise.resolve();
let listsAreNew = false;

/**
 * Installs Debian's package, when we are root and there is apt-get. What has begun is not ended by `stopping`: a
 * package that is half installed keeps every later one from being installed.
 * @returns the full path of the program, null when it cannot be installed this way.
 */
export async function installPackage(
  name: string,
  programs: readonly string[],
  stopping: AbortSignal,
): Promise<string | null> {
  const apt = findOnPath('apt-get');
  if (apt === null || process.getuid?.() !== 0) return null;
  const installing = before.then(() => install(apt, name, programs, stopping));
  before = installing.catch(() => {});
  await installing;
  return findOnPath(...programs);
}

async function install(apt: string, name: string, programs: readonly string[], stopping: AbortSignal): Promise<void> {
  if (stopping.aborted || findOnPath(...programs) !== null) return;
  say(`no ${programs[0] ?? name} on PATH: installing Debian's package (apt-get install ${name})`);
  const { ok, output } = await withProgress(
    `installing ${name}`,
    (async () => {
      // The package lists of a fresh container are empty.
      if (!listsAreNew) listsAreNew = (await runOpen(apt, ['update', '-q'], { env: ENV, withinMs: 120_000 })).ok;
      const args = ['install', '-y', '-q', '--no-install-recommends', ...WAIT_FOR_LOCK, name];
      return runOpen(apt, args, { env: ENV, withinMs: 900_000 });
    })(),
  );
  if (!ok) say(`${name} could not be installed: ${lastLine(output)}`);
}

/** Packages are for every user of the machine, and our own umask closes what we write to the others. */
function runOpen(file: string, args: readonly string[], options: RunOptions): ReturnType<typeof runToEnd> {
  return runToEnd('/bin/sh', ['-c', 'umask 022 && exec "$0" "$@"', file, ...args], options);
}
