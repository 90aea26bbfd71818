import { useSyncExternalStore } from 'react';
import { KEPT_KEY } from './early.ts';
import { RETURN_PATH, type Tokens } from './tokens.ts';

/**
 * The session whose token this page uses. The token lives in memory; a key is in `sessionStorage`, which ends with the
 * tab, only if the person asks for it.
 */
export type Session =
  | { readonly state: 'out'; readonly reason: 'never' | 'left' | 'expired' | 'refused' | 'unreachable' }
  /** The page is going to the provider, or coming back. */
  | { readonly state: 'opening' }
  | SignedIn;

interface SignedIn extends Tokens {
  readonly state: 'in';
  readonly by: 'key' | 'provider';
  /** The number of this sign-in. A renewed token keeps it, because it changes nothing that the page shows. */
  readonly id: number;
}

/**
 * The name in localStorage that says only that the person last signed in by the provider. A page that opens asks the
 * provider whether they still are signed in.
 */
const BY_PROVIDER = 'turnkeeper.provider';
/** The name in sessionStorage of a key that only comes along to another site's page and back. */
const ON_THE_WAY = 'turnkeeper.on-the-way';
/** A token is renewed this long before it ends, because it may end on its way. */
const EARLY_MS = 30_000;
/**
 * Tabs of one browser ask each other for a key. With a provider each tab has its own tokens, because a refresh token
 * can be used only once.
 */
const channel = new BroadcastChannel('turnkeeper.session');
type TabMessage =
  { readonly ask: true } | { readonly token: string } | { readonly provider: true } | { readonly left: true };

const listeners = new Set<() => void>();
let signIns = 0;
let session: Session = begin();
let renewing: Promise<string | null> | null = null;

channel.addEventListener('message', ({ data }: MessageEvent<TabMessage>) => {
  if ('ask' in data && session.state === 'in' && session.by === 'key') say({ token: session.token });
  if ('token' in data && session.state === 'out') enter('key', { token: data.token, expiresAt: Infinity });
  if ('provider' in data && session.state === 'out') openByProvider();
  if ('left' in data) leave('left');
});
// Whoever goes back by the browser's button finds the page as they left it.
addEventListener('pageshow', () => sessionStorage.removeItem(ON_THE_WAY));
if (session.state === 'out') say({ ask: true });
if (session.state === 'opening') void open();

export function useSession(): Session {
  return useSyncExternalStore(subscribe, currentSession);
}

export function currentSession(): Session {
  return session;
}

/**
 * Whether the person would be signed in after a reload: the provider is asked again, a key is kept only if they say so.
 */
export function staysSignedIn(): boolean {
  return session.state !== 'in' || session.by === 'provider' || sessionStorage.getItem(KEPT_KEY) !== null;
}

/**
 * Lets a key that is only in memory survive the way to another site's page (one to pay at) and back. It is stored until
 * this tab shows the app again.
 */
export function takeAlong(): void {
  if (session.state === 'in' && session.by === 'key') sessionStorage.setItem(ON_THE_WAY, session.token);
}

/** Calls the listener when somebody signs in or out, but not when a token is renewed. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Signs in by a key.
 * @param stay whether the key survives a reload of this tab.
 */
export function signIn(token: string, { stay }: { stay: boolean }): void {
  if (stay) sessionStorage.setItem(KEPT_KEY, token);
  localStorage.removeItem(BY_PROVIDER);
  enter('key', { token, expiresAt: Infinity });
  say({ token });
}

/** Signs out in all tabs, and at the provider if it signed the person in. */
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
 * The token for a request, renewed before it ends; null when nobody is signed in.
 * @throws what asking the provider threw, once the token has ended.
 */
export async function freshToken(): Promise<string | null> {
  if (session.state !== 'in') return null;
  return session.expiresAt - Date.now() > EARLY_MS ? session.token : renewedToken();
}

/** A new token in place of one that was refused; null when there is none. It is renewed once, however many ask. */
export function renewedToken(): Promise<string | null> {
  renewing ??= renew().finally(() => {
    renewing = null;
  });
  return renewing;
}

/**
 * Ends the session when the server no longer accepts `token`, because it has run out or was revoked. The page stays
 * where it is and asks to sign in again.
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

/**
 * Opens a page for which the provider decides: it comes back from the provider, or asks it without showing anything who
 * is signed in.
 */
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
  const token = sessionStorage.getItem(KEPT_KEY) ?? sessionStorage.getItem(ON_THE_WAY);
  sessionStorage.removeItem(ON_THE_WAY);
  if (token !== null) return { state: 'in', by: 'key', id: signIns, token, expiresAt: Infinity };
  if (location.pathname === RETURN_PATH || localStorage.getItem(BY_PROVIDER) !== null) return { state: 'opening' };
  return { state: 'out', reason: 'never' };
}

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function say(message: TabMessage): void {
  channel.postMessage(message);
}
