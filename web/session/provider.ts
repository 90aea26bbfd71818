import { ErrorResponse, InMemoryWebStorage, UserManager, WebStorageStateStore, type User } from 'oidc-client-ts';
import { answer } from '../api/answer.ts';
import { publicApi } from '../api/public-client.ts';
import { currentLocale } from '../i18n/language.ts';
import { RETURN_PATH, type Tokens } from './tokens.ts';

/** A provider that does not answer within this time counts as away. */
const ANSWER_WITHIN_S = 10;
/** The name in sessionStorage of what is kept while the person is at the provider: never a token. */
const KEPT_WHILE_AWAY = 'turnkeeper.return';

interface KeptWhileAway {
  readonly place: string;
  readonly silent: boolean;
}

let made: Promise<UserManager | null> | null = null;

/**
 * Leaves this page for the provider's, which sends the person back. With `silent` it does so at once, whether they are
 * signed in there or not. It uses the page itself and not a hidden frame, because browsers keep a provider's cookies
 * from frames and the page's policy allows none.
 * @returns false when there is no provider any more; otherwise when the page shows again, if ever.
 */
export async function askProvider({ silent }: { silent: boolean }): Promise<boolean> {
  const manager = await provider();
  if (manager === null) return false;
  const kept: KeptWhileAway = { place: location.pathname + location.search + location.hash, silent };
  sessionStorage.setItem(KEPT_WHILE_AWAY, JSON.stringify(kept));
  // This asks for the provider's discovery document first, so that a provider that is away is noticed here, where we
  // can say so, and not by the browser's error page.
  await manager.signinRedirect(
    silent ? { prompt: 'none', redirectMethod: 'replace' } : { ui_locales: currentLocale() },
  );
  return true;
}

/** Restores the address that the person came from. */
export async function returnFromProvider(): Promise<{
  tokens: Tokens | null;
  reason: 'expired' | 'refused' | 'unreachable';
}> {
  const { place, silent } = unpack();
  const arrived = location.href;
  history.replaceState(null, '', place);
  try {
    const manager = await provider();
    return {
      tokens: manager === null ? null : tokensOf(await manager.signinRedirectCallback(arrived)),
      reason: 'refused',
    };
  } catch (error) {
    if (error instanceof ErrorResponse) return { tokens: null, reason: silent ? 'expired' : 'refused' };
    return { tokens: null, reason: error instanceof TypeError || isTimeout(error) ? 'unreachable' : 'refused' };
  }
}

/**
 * Renews by the refresh token, which the provider replaces with each use.
 * @returns null when it gives no more.
 * @throws when it does not answer.
 */
export async function renewTokens(): Promise<Tokens | null> {
  const manager = await provider();
  const user = (await manager?.getUser()) ?? null;
  if (manager === null || user?.refresh_token === undefined) return null;
  try {
    const renewed = await manager.signinSilent({ extraTokenParams: manager.settings.extraTokenParams });
    return renewed === null ? null : tokensOf(renewed);
  } catch (error) {
    if (error instanceof ErrorResponse) return null;
    throw error;
  }
}

/**
 * Ends the provider's session too, and comes back to the first page.
 * @throws when the provider offers no way to do so, or is away.
 */
export async function leaveProvider(): Promise<void> {
  const manager = await provider();
  if (manager === null) return;
  await manager.revokeTokens(['refresh_token']).catch(() => {});
  await manager.signoutRedirect({ extraQueryParams: {} });
}

/** Null when this installation has no provider. */
async function provider(): Promise<UserManager | null> {
  made ??= make();
  return made.catch((error: unknown) => {
    made = null;
    throw error;
  });
}

async function make(): Promise<UserManager | null> {
  const { provider: known } = await answer(publicApi.GET('/api/auth/options'));
  if (known === null) return null;
  return new UserManager({
    authority: known.issuer,
    client_id: known.clientId,
    scope: known.scopes,
    extraQueryParams: known.params,
    extraTokenParams: known.params,
    redirect_uri: `${location.origin}${RETURN_PATH}`,
    post_logout_redirect_uri: `${location.origin}/`,
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
    // Tokens are renewed before a request needs them, and not by a timer, which would sleep with the machine.
    automaticSilentRenew: false,
    requestTimeoutInSeconds: ANSWER_WITHIN_S,
    silentRequestTimeoutInSeconds: ANSWER_WITHIN_S,
  });
}

function tokensOf({ access_token: token, expires_at: expiresAt }: User): Tokens {
  return { token, expiresAt: expiresAt === undefined ? Infinity : expiresAt * 1_000 };
}

function unpack(): KeptWhileAway {
  const packed = sessionStorage.getItem(KEPT_WHILE_AWAY);
  sessionStorage.removeItem(KEPT_WHILE_AWAY);
  return packed === null ? { place: '/', silent: false } : (JSON.parse(packed) as KeptWhileAway);
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'ErrorTimeout';
}
