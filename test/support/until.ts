import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a fact, looking every 20 ms. @throws when it has not come within `withinMs`, which no test's promise depends on. */
export async function until(isSo: () => Promise<boolean> | boolean, withinMs = 60_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!await isSo()) {
    if (Date.now() > deadline) throw new Error(`this did not become true within ${withinMs} ms: ${String(isSo)}`);
    await sleep(20);
  }
}
