import { cpus } from 'node:os';
import { SetupError } from '../domain/setup-error.ts';
import { say } from '../scripts/services/say.ts';

/** The machine on which the figures were measured. */
export const MACHINE = { cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', node: process.version } as const;

/**
 * Runs a bench as a program. The first signal stops it and later ones change nothing, so that it always stops its
 * services. An error in options or services is printed as one sentence, any other with its stack; the exit code is then
 * 1.
 */
export async function runBench(main: (stopping: AbortSignal) => Promise<void>): Promise<never> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  try {
    await main(stopping.signal);
    process.exit();
  } catch (error) {
    say(error instanceof SetupError ? error.message : String(error instanceof Error ? error.stack : error));
    process.exit(1);
  }
}

/**
 * The result of `work`.
 * @throws SetupError when the bench is stopped before.
 */
export function unlessStopped<T>(stopping: AbortSignal, work: Promise<T>): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_, reject) => {
      const stop = () => reject(new SetupError('interrupted'));
      stopping.addEventListener('abort', stop);
      if (stopping.aborted) stop();
    }),
  ]);
}

/** Bounds for rows and accounts: a ledger of that size can be seeded in minutes. */
export const MANY = { least: 10, most: 1_000_000_000 } as const;

/** @throws SetupError when the text is no whole number within these bounds. */
export function wholeNumber(option: string, text: string, { least, most }: { least: number; most: number }): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least || number > most)
    throw new SetupError(`${option}: must be a whole number from ${least} to ${most}`);
  return number;
}
