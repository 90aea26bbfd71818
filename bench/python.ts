import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SetupError } from '../domain/setup-error.ts';
import { findOnPath, isExecutable, lastLine, runToEnd } from '../scripts/services/program.ts';
import { say, withProgress } from '../scripts/services/say.ts';

/**
 * Installs the Python packages that a `requirements.txt` names in a folder of their own below .turnkeeper/, unless they
 * are there.
 * @param what for people: `Schemathesis`.
 * @returns the folder of the programs, `python` among them.
 * @throws SetupError that says what is missing. Nobody may take a check that did not run for one that found nothing.
 */
export async function installPython(what: string, requirements: string, stopping: AbortSignal): Promise<string> {
  const versions = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(import.meta.dirname, '..', '.turnkeeper', `${basename(dirname(requirements))}-${versions}`);
  const programs = join(folder, 'bin');
  const whole = join(folder, 'whole');
  if (existsSync(whole) && isExecutable(join(programs, 'python'))) return programs;
  const python = findOnPath('python3');
  if (python === null) throw new SetupError(`${what} did not run: there is no python3 on PATH.`);
  // What was broken off is not whole: it begins again.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  say(`installing ${what} (pip, in a folder of its own)`);
  const install = async (file: string, args: readonly string[]) => {
    const { ok, output } = await runToEnd(file, args, { withinMs: 600_000, signal: stopping });
    if (!ok) throw new SetupError(`${what} did not run: it could not be installed (${lastLine(output)}).`);
  };
  await withProgress(
    `installing ${what}`,
    (async () => {
      await install(python, ['-m', 'venv', folder]);
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements];
      await install(join(programs, 'python'), pip);
    })(),
  );
  writeFileSync(whole, '');
  return programs;
}
