import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for a fact. A look may be a request through the whole service, so the next one comes after a tenth of the time
 * waited so far, 20 to 250 ms.
 * @throws when the fact has not come within `withinMs`, on which no test's promise depends.
 */
export async function until(isSo: () => Promise<boolean> | boolean, withinMs = 60_000): Promise<void> {
  const began = Date.now();
  while (!(await isSo())) {
    const waited = Date.now() - began;
    if (waited > withinMs) throw new Error(`this did not become true within ${withinMs} ms: ${String(isSo)}`);
    await sleep(Math.min(Math.max(20, waited / 10), 250));
  }
}
