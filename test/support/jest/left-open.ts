import { setTimeout as sleep } from 'node:timers/promises';

/** Servers and children, which would keep the process from ending. Timers would, too, but jest's own come and go. */
const KINDS = new Set(['TCPServerWrap', 'ProcessWrap']);
/** What is closing has as long. */
const CLOSES_WITHIN_MS = 2_000;

export type Open = ReadonlyMap<string, number>;

export function openNow(): Open {
  const open = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) if (KINDS.has(kind)) open.set(kind, (open.get(kind) ?? 0) + 1);
  return open;
}

/** @returns what a file has left open, in words; empty when that is nothing. */
export async function leftOpen(before: Open): Promise<string> {
  const deadline = performance.now() + CLOSES_WITHIN_MS;
  for (let left = moreThan(before); ; left = moreThan(before)) {
    if (left === '' || performance.now() > deadline) return left;
    await sleep(20);
  }
}

function moreThan(before: Open): string {
  return [...openNow()]
    .map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const)
    .filter(([, more]) => more > 0)
    .map(([kind, more]) => `${more} ${kind}`)
    .join(', ');
}
