import { setFlagsFromString } from 'node:v8';

const FLAG = '--max-semi-space-size';

/**
 * Megabytes of each half of a workflow thread's young generation. With the 16 of the main thread, each thread kept up
 * to 32 that it did not use, and took as much CPU for a turn; with 2 it takes an eighth more.
 */
const HALF_MEGABYTES = 4;

/**
 * Makes threads whose young generation is small. V8 reads this flag when it makes a heap, so that of the main thread
 * stays as it is. The flag is set back, because Node keeps compiled code under the flags of the process.
 */
export async function withSmallHeaps<T>(makeThreads: () => Promise<T>): Promise<T> {
  setFlagsFromString(`${FLAG}=${HALF_MEGABYTES}`);
  try {
    return await makeThreads();
  } finally {
    setFlagsFromString(`${FLAG}=${ownHalfMegabytes()}`);
  }
}

/** @returns what the process was started with; 0 leaves it to V8. */
function ownHalfMegabytes(): number {
  const given = process.execArgv.findLast((flag) => flag.startsWith(`${FLAG}=`));
  return Number(given?.slice(FLAG.length + 1) ?? 0);
}
