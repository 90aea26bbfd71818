import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../../domain/setup-error.ts';
import { findOnPath, isExecutable, lastLine, runToEnd } from '../../scripts/services/program.ts';
import { say, withProgress } from '../../scripts/services/say.ts';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');

/**
 * Installs the versions of `requirements.txt` in a folder of their own, unless they are there.
 * @returns the full path of the program.
 * @throws SetupError that says what is missing. Nobody may take a check that did not run for one that found nothing.
 */
export async function installSchemathesis(stopping: AbortSignal): Promise<string> {
  const versions = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  const folder = join(import.meta.dirname, '..', '..', '.turnkeeper', `schemathesis-${versions}`);
  const program = join(folder, 'bin', 'st');
  const whole = join(folder, 'whole');
  if (existsSync(whole) && isExecutable(program)) return program;
  const python = findOnPath('python3');
  if (python === null) throw new SetupError('Schemathesis did not run: there is no python3 on PATH.');
  // What was broken off is not whole: it begins again.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  say('installing Schemathesis (pip, in a folder of its own)');
  const install = async (file: string, args: readonly string[]) => {
    const { ok, output } = await runToEnd(file, args, { withinMs: 300_000, signal: stopping });
    if (!ok) throw new SetupError(`Schemathesis did not run: it could not be installed (${lastLine(output)}).`);
  };
  await withProgress(
    'installing Schemathesis',
    (async () => {
      await install(python, ['-m', 'venv', folder]);
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS];
      await install(join(folder, 'bin', 'python'), pip);
    })(),
  );
  writeFileSync(whole, '');
  return program;
}
