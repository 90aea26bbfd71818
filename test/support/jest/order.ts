import { statSync } from 'node:fs';

interface File {
  readonly path: string;
}

/** Rooms whose files wait more than they work: for the end of what was killed, for time limits, for a whole start. */
const WAITING = /\/test\/(crash|workflow|bootstrap)\//;
const BROWSER = /\/test\/browser\//;

/**
 * Jest's `testSequencer`. The run is as long as its processors are busy, so what waits runs beside what works from the
 * beginning, and the last files are short ones. By size alone, which is jest's order in a fresh clone, the crash tests
 * were left over: for nearly two minutes of twelve the machine did nothing.
 */
export default class Order {
  sort(files: readonly File[]): File[] {
    const bySize = files
      .map((file) => ({ file, size: statSync(file.path).size }))
      .sort((a, b) => b.size - a.size)
      .map(({ file }) => file);
    const waiting = bySize.filter(({ path }) => WAITING.test(path));
    const working = [
      ...bySize.filter(({ path }) => BROWSER.test(path)),
      ...bySize.filter(({ path }) => !WAITING.test(path) && !BROWSER.test(path)),
    ];
    return working.flatMap((file, n) => [...waiting.slice(n, n + 1), file]).concat(waiting.slice(working.length));
  }

  /** For `--onlyFailures`: nothing is kept of earlier runs. */
  allFailedTests(files: readonly File[]): readonly File[] {
    return files;
  }

  cacheResults(): void {}
}
