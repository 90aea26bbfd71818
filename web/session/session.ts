import { useSyncExternalStore } from 'react';

/** Whose key this page speaks with. It lives in memory; `sessionStorage`, which ends with the tab, only if the person asks. */
export type Session =
  | { readonly state: 'out'; readonly reason: 'never' | 'left' | 'expired' }
  | { readonly state: 'in'; readonly token: string };

const STORED = 'turnkeeper.token';
/** Tabs of one browser share a sign-in by asking each other: nothing is stored for it. */
const channel = new BroadcastChannel('turnkeeper.session');
type Word = { readonly ask: true } | { readonly token: string } | { readonly left: true };

let session: Session = begin();
const listeners = new Set<() => void>();

channel.addEventListener('message', ({ data }: MessageEvent<Word>) => {
  if ('ask' in data && session.state === 'in') channel.postMessage({ token: session.token } satisfies Word);
  if ('token' in data && session.state === 'out') change({ state: 'in', token: data.token });
  if ('left' in data) leave('left');
});
if (session.state === 'out') channel.postMessage({ ask: true } satisfies Word);

export function useSession(): Session {
  return useSyncExternalStore(subscribe, currentSession);
}

export function currentSession(): Session {
  return session;
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @param stay survives a reload of this tab. */
export function signIn(token: string, { stay }: { stay: boolean }): void {
  if (stay) sessionStorage.setItem(STORED, token);
  change({ state: 'in', token });
  channel.postMessage({ token } satisfies Word);
}

export function signOut(): void {
  channel.postMessage({ left: true } satisfies Word);
  leave('left');
}

/** The server no longer takes `token`: it has run out or was revoked. The page stays where it is and asks to sign in again. */
export function expire(token: string): void {
  if (session.state === 'in' && session.token === token) leave('expired');
}

function leave(reason: 'left' | 'expired'): void {
  sessionStorage.removeItem(STORED);
  if (session.state === 'in') change({ state: 'out', reason });
}

function begin(): Session {
  const token = sessionStorage.getItem(STORED);
  return token === null ? { state: 'out', reason: 'never' } : { state: 'in', token };
}

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}
