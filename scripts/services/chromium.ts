import { SetupError } from '../../domain/setup-error.ts';
import { installPackage } from './apt.ts';
import { findOnPath } from './program.ts';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const HEADLESS = ['chromium-headless-shell'];

/** For a browser that a program drives. Without most of them, Chromium tries to reach Google at every start. */
export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * The browser that people use, for screenshots and measurements.
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

/**
 * The browser that the tests drive: the same engine without a browser's windows, profiles and extensions, which takes
 * two thirds of the CPU. Where it is neither there nor can be installed, any Chromium does.
 * @throws SetupError when there is none and none can be installed.
 */
export async function findTestBrowser(stopping: AbortSignal): Promise<string> {
  const found = findOnPath(...HEADLESS) ?? (await installPackage('chromium-headless-shell', HEADLESS, stopping));
  return found ?? findChromium(stopping);
}
