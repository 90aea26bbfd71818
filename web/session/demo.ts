/**
 * Where the secret of the demo lies for as long as this tab is open: somebody who signs out, or reloads, can still try
 * the other account.
 */
const KEPT = 'turnkeeper.demo';
const listeners = new Set<() => void>();

/**
 * Moves the secret out of the address that `npm start` printed, so that no bookmark or picture of the screen shows it.
 */
export function takeDemoSecret(): void {
  const secret = /^#demo=([\w-]+)$/.exec(location.hash)?.[1];
  if (secret === undefined) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  keep(secret);
}

/** Null: this tab was opened by another address, or the secret was of an earlier start. */
export function currentDemoSecret(): string | null {
  return sessionStorage.getItem(KEPT);
}

/** The server does not know it. */
export function forgetDemoSecret(): void {
  keep(null);
}

export function subscribeDemoSecret(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function keep(secret: string | null): void {
  if (secret === null) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, secret);
  for (const listener of listeners) listener();
}

// A tab that shows the app already does not load anew when only the secret is added to its address.
addEventListener('hashchange', takeDemoSecret);
