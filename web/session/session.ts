import { useSyncExternalStore } from 'react';
import { KEPT_KEY } from './early.ts';
import { RETURN_PATH, type Tokens } from './tokens.ts';

/**
 * Whose token this page speaks with. It lives in memory; `sessionStorage`, which ends with the tab, holds a key only if
 * the person asks.
 */
export type Session =
  | { readonly state: 'out'; readonly reason: 'never' | 'left' | 'expired' | 'refused' | 'unreachable' }
  /** On the way to the provider, or back. */
  | { readonly state: 'opening' }
  | SignedIn;

interface SignedIn extends Tokens {
  readonly state: 'in';
  readonly by: 'key' | 'provider';
  /** Of this sign-in; a renewed token changes nothing of what the page shows. */
  readonly id: number;
}

/**
 * That the person was last signed in by the provider, and no more: a page that opens anew asks it whether they still
 * are.
 */
const BY_PROVIDER = 'turnkeeper.provider';
/** A token that ends within this time may have ended when it arrives. */
const EARLY_MS = 30_000;
/**
 * Tabs of one browser share a key by asking each other; by the provider each has tokens of its own, because a refresh
 * token is good once.
 */
const channel = new BroadcastChannel('turnkeeper.session');
type Word = { readonly ask: true } | { readonly token: string } | { readonly provider: true } | { readonly left: true };

const listeners = new Set<() => void>();
let signIns = 0;
let session: Session = begin();
let renewing: Promise<string | null> | null = null;

channel.addEventListener('message', ({ data }: MessageEvent<Word>) => {
  if ('ask' in data && session.state === 'in' && session.by === 'key') say({ token: session.token });
  if ('token' in data && session.state === 'out') enter('key', { token: data.token, expiresAt: Infinity });
  if ('provider' in data && session.state === 'out') openByProvider();
  if ('left' in data) leave('left');
});
if (session.state === 'out') say({ ask: true });
if (session.state === 'opening') void open();

export function useSession(): Session {
  return useSyncExternalStore(subscribe, currentSession);
}

export function currentSession(): Session {
  return session;
}

/** Whether a reload would find the person signed in: the provider is asked again, a key is kept only if they say so. */
export function staysSignedIn(): boolean {
  return session.state !== 'in' || session.by === 'provider' || sessionStorage.getItem(KEPT_KEY) !== null;
}

/** Told when somebody signs in or out, and not when a token is renewed. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** By a key. @param stay survives a reload of this tab. */
export function signIn(token: string, { stay }: { stay: boolean }): void {
  if (stay) sessionStorage.setItem(KEPT_KEY, token);
  localStorage.removeItem(BY_PROVIDER);
  enter('key', { token, expiresAt: Infinity });
  say({ token });
}

/** Here and in the other tabs, and at the provider where it was that. */
export function signOut(): void {
  say({ left: true });
  localStorage.removeItem(BY_PROVIDER);
  if (session.state !== 'in' || session.by === 'key') return leave('left');
  change({ state: 'opening' });
  void import('./provider.ts')
    .then(({ leaveProvider }) => leaveProvider())
    .catch(() => {})
    .finally(() => change({ state: 'out', reason: 'left' }));
}

/**
 * The token a request carries, renewed before it ends; null signed out.
 * @throws what asking the provider threw, once the token has ended.
 */
export async function freshToken(): Promise<string | null> {
  if (session.state !== 'in') return null;
  return session.expiresAt - Date.now() > EARLY_MS ? session.token : renewedToken();
}

/** Another token than the one that was refused; null when there is none to be had. Once, however many ask. */
export function renewedToken(): Promise<string | null> {
  renewing ??= renew().finally(() => {
    renewing = null;
  });
  return renewing;
}

/**
 * The server no longer takes `token`: it has run out or was revoked. The page stays where it is and asks to sign in
 * again.
 */
export function expire(token: string): void {
  if (session.state === 'in' && session.token === token) leave('expired');
}

async function renew(): Promise<string | null> {
  if (session.state !== 'in' || session.by === 'key') return null;
  const { id, token, expiresAt } = session;
  const { renewTokens } = await import('./provider.ts');
  const outcome = await renewTokens().catch((error: unknown) => {
    if (Date.now() > expiresAt) throw error;
    return null;
  });
  if (currentSession().state !== 'in' || signIns !== id) return null;
  if (outcome !== null) {
    session = { ...session, ...outcome };
    return outcome.token;
  }
  if (Date.now() < expiresAt) return token;
  leave('expired');
  return null;
}

function openByProvider(): void {
  change({ state: 'opening' });
  void open();
}

/** A page that opens: back from the provider, or asking it, without a word on the screen, who is signed in. */
async function open(): Promise<void> {
  try {
    const { askProvider, returnFromProvider } = await import('./provider.ts');
    if (location.pathname !== RETURN_PATH) {
      if (await askProvider({ silent: true })) return;
      localStorage.removeItem(BY_PROVIDER);
      return change({ state: 'out', reason: 'never' });
    }
    const { tokens, reason } = await returnFromProvider();
    if (tokens === null) {
      localStorage.removeItem(BY_PROVIDER);
      return change({ state: 'out', reason });
    }
    localStorage.setItem(BY_PROVIDER, 'yes');
    enter('provider', tokens);
    say({ provider: true });
  } catch {
    change({ state: 'out', reason: 'unreachable' });
  }
}

function enter(by: SignedIn['by'], tokens: Tokens): void {
  signIns += 1;
  change({ state: 'in', by, id: signIns, ...tokens });
}

function leave(reason: 'left' | 'expired'): void {
  sessionStorage.removeItem(KEPT_KEY);
  if (session.state === 'in') change({ state: 'out', reason });
}

function begin(): Session {
  const token = sessionStorage.getItem(KEPT_KEY);
  if (token !== null) return { state: 'in', by: 'key', id: signIns, token, expiresAt: Infinity };
  if (location.pathname === RETURN_PATH || localStorage.getItem(BY_PROVIDER) !== null) return { state: 'opening' };
  return { state: 'out', reason: 'never' };
}

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function say(word: Word): void {
  channel.postMessage(word);
}
