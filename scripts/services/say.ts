/** Tells the person who started it: short lines on standard error, so that standard output is free for results. */
export function say(line: string): void {
  process.stderr.write(`turnkeeper: ${line}\n`);
}

/** Says every 10 s how long the work has been running. */
export async function withProgress<T>(what: string, work: Promise<T>): Promise<T> {
  const began = performance.now();
  const timer = setInterval(() => say(`${what} … ${Math.round((performance.now() - began) / 1_000)} s`), 10_000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
