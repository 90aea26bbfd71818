/**
 * The name in sessionStorage of the demo's secret. It stays while this tab is open, so that somebody who signs out or
 * reloads can still try the other account.
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

/**
 * Null when this tab was opened by another address. The secret may also be an earlier start's, which the server
 * refuses.
 */
export function currentDemoSecret(): string | null {
  return sessionStorage.getItem(KEPT);
}

/** Called when the server does not know the secret. */
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

// A tab that already shows the app does not reload when only the secret is added to its address.
addEventListener('hashchange', takeDemoSecret);
