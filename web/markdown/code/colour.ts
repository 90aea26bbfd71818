import type { Colours, Order } from './colour-worker.ts';
import script from './colour-worker.ts?worker&url';

/** Longer than any code takes; a grammar that does not come to an end is given up with its worker. */
const COLOURED_WITHIN_MS = 10_000;

let worker: Worker | null = null;
let last: Promise<unknown> = Promise.resolve();

/**
 * Colours code beside the page's own work, one block after the other.
 * @param isNeeded asked when its turn comes.
 * @returns null where the code stays plain.
 */
export function colour(order: Order, isNeeded: () => boolean): Promise<Colours> {
  const next = last.then(() => (isNeeded() ? colourNow(order) : null)).catch(() => null);
  last = next;
  return next;
}

function colourNow(order: Order): Promise<Colours> {
  return new Promise((resolve) => {
    const end = (colours: Colours, isLost: boolean) => {
      clearTimeout(timer);
      if (isLost) {
        worker?.terminate();
        worker = null;
      }
      resolve(colours);
    };
    const timer = setTimeout(() => end(null, true), COLOURED_WITHIN_MS);
    worker ??= new Worker(trusted(script), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Colours>) => end(data, false);
    worker.onerror = () => end(null, true);
    worker.postMessage(order);
  });
}

/** The page's policy takes no script by its bare address. */
function trusted(own: string): string {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: object): { createScriptURL(url: string): unknown } };
  };
  if (trustedTypes === undefined) return own;
  return trustedTypes.createPolicy('colour-worker', { createScriptURL: () => own }).createScriptURL(own) as string;
}
