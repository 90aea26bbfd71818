import { findOnPath, lastLine, runToEnd, type RunOptions } from './program.ts';
import { say, withProgress } from './say.ts';

/**
 * Installs Debian's package, when we are root and there is apt-get.
 * @returns the full path of the program, null when it cannot be installed this way.
 */
export async function installPackage(
  name: string,
  programs: readonly string[],
  stopping: AbortSignal,
): Promise<string | null> {
  const apt = findOnPath('apt-get');
  if (apt === null || process.getuid?.() !== 0) return null;
  say(`no ${programs[0] ?? name} on PATH: installing Debian's package (apt-get install ${name})`);
  // RUNLEVEL=1 keeps a package from starting its own daemon.
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }, signal: stopping };
  const { ok, output } = await withProgress(
    `installing ${name}`,
    (async () => {
      // The package lists of a fresh container are empty.
      await runOpen(apt, ['update', '-q'], { ...options, withinMs: 120_000 });
      return runOpen(apt, ['install', '-y', '-q', '--no-install-recommends', name], { ...options, withinMs: 600_000 });
    })(),
  );
  if (!ok) say(`${name} could not be installed: ${lastLine(output)}`);
  return findOnPath(...programs);
}

/** Packages are for every user of the machine, and our own umask closes what we write to the others. */
function runOpen(file: string, args: readonly string[], options: RunOptions): ReturnType<typeof runToEnd> {
  return runToEnd('/bin/sh', ['-c', 'umask 022 && exec "$0" "$@"', file, ...args], options);
}
