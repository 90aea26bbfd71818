import { newKey } from '../api/new-key.ts';
import type { Way } from './ways.ts';

/** What somebody is about to buy, and how. */
export type Wish = Way & { readonly packId: string };

/** The name in sessionStorage of what is bought as soon as the shop has been loaded again. */
const WAITING = 'turnkeeper.wish';
/** With what is bought added: the name of its purchase's key. They end with the tab. */
const KEY = 'turnkeeper.wish.';

/** The key of the purchase that a wish becomes. It is the same until the purchase is known to have gone on. */
export function keyOf(wish: Wish): string {
  const known = sessionStorage.getItem(nameOf(wish));
  if (known !== null) return known;
  const key = newKey();
  sessionStorage.setItem(nameOf(wish), key);
  return key;
}

export function forgetKey(wish: Wish): void {
  sessionStorage.removeItem(nameOf(wish));
}

export function keepWaiting(wish: Wish): void {
  sessionStorage.setItem(WAITING, JSON.stringify(wish));
}

/** What waits for the shop, once. */
export function takeWaiting(): Wish | null {
  const kept = sessionStorage.getItem(WAITING);
  sessionStorage.removeItem(WAITING);
  return kept === null ? null : (JSON.parse(kept) as Wish);
}

/** Nothing of it remains when the person signs out. */
export function forgetWishes(): void {
  for (const name of Object.keys(sessionStorage)) if (name.startsWith(WAITING)) sessionStorage.removeItem(name);
}

function nameOf({ packId, provider, method }: Wish): string {
  return KEY + JSON.stringify([packId, provider, method]);
}
