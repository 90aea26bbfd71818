import { SetupError } from '../../domain/setup-error.ts';
import { installPackage } from './apt.ts';
import { findOnPath } from './program.ts';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * The browser that the tests and the screenshots drive.
 * @throws SetupError when there is none and none can be installed.
 */
export async function findChromium(stopping: AbortSignal): Promise<string> {
  const found = findOnPath(...PROGRAMS) ?? (await installPackage('chromium', PROGRAMS, stopping));
  if (found === null)
    throw new SetupError(
      'No Chromium: install chromium (or google-chrome) so that it is on PATH; the browser tests need it.',
    );
  return found;
}
