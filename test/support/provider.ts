import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import Provider, { type Adapter, type AdapterPayload, type Configuration } from 'oidc-provider';
import { freePort } from '../../scripts/services/port.ts';

/** The audience that the API requires of tokens. */
export const AUDIENCE = 'https://api.turnkeeper.example';

/**
 * A certified OpenID provider on loopback, set up as anybody would. Its sign-in page accepts any name and asks for no
 * password.
 */
export interface TestProvider {
  readonly issuer: string;
  /** The paths requested since the last call. */
  asked(): string[];
  /** Sets what its tokens say of a person from now on. */
  describe(subject: string, claims: Record<string, unknown>): void;
  /** A token with these claims, signed by the present key; `null` leaves a claim out. */
  sign(claims: Record<string, unknown>, header?: { alg?: string; kid?: string; typ?: unknown }): Promise<string>;
  /** Its public key. */
  publicKey(): JWK;
  /**
   * Signs with a new key from now on.
   * @param keeping whether the old key stays published.
   */
  rotate(options: { keeping: boolean }): Promise<void>;
  /** Stops listening until `back`. */
  away(): Promise<void>;
  back(): Promise<void>;
  /** Ends the person's session at the provider: their refresh tokens are refused. */
  forget(): void;
  close(): Promise<void>;
}

/**
 * @param web the address of the web app that may sign people in.
 * @param tokenSeconds how long an access token lives.
 */
export async function startProvider({
  web = 'http://127.0.0.1:1',
  tokenSeconds = 300,
}: { web?: string; tokenSeconds?: number } = {}): Promise<TestProvider> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const people = new Map<string, Record<string, unknown>>();
  let keys = [await makeKey()];
  const asked: string[] = [];
  const kept = new Map<string, AdapterPayload>();
  const make = () =>
    new Provider(issuer, {
      ...configure({ web, tokenSeconds, keys, claimsOf: (subject) => people.get(subject) ?? {} }),
      adapter: (name) => keepIn(kept, name),
    });
  let provider = make();

  const server = createServer((request, response) => {
    asked.push((request.url ?? '').split('?')[0] ?? '');
    if (request.url?.startsWith('/interaction/') === true) void interact(provider, request, response);
    else void provider.callback()(request, response);
  });
  const listen = () =>
    new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
  const hangUp = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen();
  return {
    issuer,
    asked: () => asked.splice(0),
    describe: (subject, claims) => {
      people.set(subject, claims);
    },
    async sign(claims, { alg = 'RS256', kid = keys[0]?.kid ?? '', typ = 'at+jwt' } = {}) {
      const now = Math.floor(Date.now() / 1_000);
      const whole = { iss: issuer, aud: AUDIENCE, iat: now, exp: now + 300, ...claims };
      const payload = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== null));
      return new SignJWT(payload)
        .setProtectedHeader({ alg, kid, typ: typ as string })
        .sign(await importJWK(keys[0] ?? {}, alg));
    },
    publicKey() {
      const { kty = '', n = '', e = '', kid = '' } = keys[0] ?? {};
      return { kty, n, e, kid };
    },
    async rotate({ keeping }) {
      keys = [await makeKey(), ...(keeping ? keys : [])];
      provider = make();
    },
    away: hangUp,
    back: listen,
    forget: () => {
      kept.clear();
    },
    close: hangUp,
  };
}

async function makeKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: 'RS256', use: 'sig' };
}

function configure({
  web,
  tokenSeconds,
  keys,
  claimsOf,
}: {
  web: string;
  tokenSeconds: number;
  keys: JWK[];
  claimsOf: (subject: string) => Record<string, unknown>;
}): Configuration {
  return {
    clients: [
      {
        client_id: 'web',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [`${web}/auth/callback`],
        post_logout_redirect_uris: [`${web}/`],
      },
      {
        client_id: 'service',
        client_secret: 'secret-of-the-test',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
    ],
    jwks: { keys: keys as never },
    cookies: { keys: ['of-the-test'] },
    pkce: { required: () => true },
    ttl: {
      Session: 3_600,
      Grant: 3_600,
      Interaction: 600,
      IdToken: 300,
      RefreshToken: 3_600,
      AccessToken: tokenSeconds,
      ClientCredentials: tokenSeconds,
      AuthorizationCode: 60,
    },
    scopes: ['openid', 'profile', 'email'],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    clientBasedCORS: () => true,
    findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, ...claimsOf(id) }) }),
    extraTokenClaims: (_ctx, token) =>
      'accountId' in token && typeof token.accountId === 'string' ? claimsOf(token.accountId) : {},
    // The consent page is skipped, because the app is the company's own.
    async loadExistingGrant(ctx) {
      const { client, session, provider } = ctx.oidc;
      if (client === undefined || session?.accountId === undefined) return undefined;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = page(
            `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes">End the session</button>`,
          );
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => [],
        useGrantedResource: async () => false,
        getResourceServerInfo: (_ctx, resource) => {
          if (resource !== AUDIENCE) throw new Error('no such resource');
          return {
            scope: '',
            audience: AUDIENCE,
            accessTokenTTL: tokenSeconds,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          };
        },
      },
    },
  };
}

/** The provider's storage: sessions, grants, codes and refresh tokens. */
function keepIn(kept: Map<string, AdapterPayload>, name: string): Adapter {
  const find = async (id: string) => kept.get(`${name}:${id}`);
  const findBy = async (is: (payload: AdapterPayload) => boolean) =>
    [...kept].find(([key, payload]) => key.startsWith(`${name}:`) && is(payload))?.[1];
  return {
    find,
    findByUid: (uid) => findBy((payload) => payload.uid === uid),
    findByUserCode: (code) => findBy(({ userCode }) => userCode === code),
    upsert: async (id, payload) => {
      kept.set(`${name}:${id}`, payload);
    },
    consume: async (id) => {
      kept.set(`${name}:${id}`, { ...(await find(id)), consumed: Math.floor(Date.now() / 1_000) });
    },
    destroy: async (id) => {
      kept.delete(`${name}:${id}`);
    },
    revokeByGrantId: async (grantId) => {
      for (const [key, payload] of kept) if (payload.grantId === grantId) kept.delete(key);
    },
  };
}

/** The provider's sign-in page: a name, or a refusal. */
async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    response
      .setHeader('content-type', 'text/html')
      .end(
        page(
          '<form method="post"><label>Name <input name="login"></label><button>Continue</button><button name="cancel" value="yes">Cancel</button></form>',
        ),
      );
    return;
  }
  let text = '';
  for await (const data of request) text += String(data);
  const form = new URLSearchParams(text);
  const result = form.has('cancel')
    ? { error: 'access_denied', error_description: 'The person has cancelled' }
    : { login: { accountId: form.get('login') ?? '' } };
  await provider.interactionFinished(request, response, result);
}

function page(body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>The provider</title><h1>The provider</h1>${body}</html>`;
}
