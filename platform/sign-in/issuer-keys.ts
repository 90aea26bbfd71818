import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

/** Longer than any healthy issuer takes; a request waits for it at most once. */
const ANSWER_WITHIN_MS = 4_000;
/** After it the keys are asked for again, beside the request that finds them old. */
const FRESH_MS = 10 * 60_000;
/**
 * An issuer that is away stops nobody who has a token, until its keys are so old that one may have been revoked
 * meanwhile.
 */
const USABLE_MS = 60 * 60_000;
/** Between two questions: tokens with keys that do not exist cost the issuer no more than this. */
const COOLDOWN_MS = 10_000;
/** Between two questions that got no answer. */
const RETRY_MS = 2_000;

/** The issuer's keys cannot be had just now: nothing can be said of a token. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
}

/**
 * The public keys of an issuer, found by its discovery document and kept. A key that is not among them is looked for
 * once more: it may be new. jose's own remote set forgets its keys when they are old, so that nobody could come in
 * while the issuer is away, and knows no other clock.
 * @param now milliseconds since the epoch.
 * @param onFailure told of each question that got no answer.
 * @returns `key` throws IssuerUnavailable, or jose's JWKSNoMatchingKey; `load` is for a start that asks before anybody
 *   waits.
 */
export function createIssuerKeys({
  issuer,
  now,
  onFailure,
}: {
  issuer: string;
  now: () => number;
  onFailure: (error: IssuerUnavailable) => void;
}) {
  let kept: { readonly find: JWTVerifyGetKey; readonly askedAt: number } | null = null;
  let failed: { readonly error: IssuerUnavailable; readonly at: number } | null = null;
  let loading: Promise<JWTVerifyGetKey> | null = null;

  /** Once, however many ask. */
  function load(): Promise<JWTVerifyGetKey> {
    if (failed !== null && now() - failed.at < RETRY_MS) return Promise.reject(failed.error);
    const askedAt = now();
    loading ??= askForKeys(issuer)
      .then(
        (find) => {
          [kept, failed] = [{ find, askedAt }, null];
          return find;
        },
        (cause: unknown) => {
          const error = new IssuerUnavailable("the issuer's keys cannot be had", { cause });
          failed = { error, at: now() };
          onFailure(error);
          throw error;
        },
      )
      .finally(() => {
        loading = null;
      });
    return loading;
  }

  const key: JWTVerifyGetKey = async (header, token) => {
    const age = kept === null ? Infinity : now() - kept.askedAt;
    if (kept === null || age > USABLE_MS) return (await load())(header, token);
    if (age > FRESH_MS) void load().catch(() => {});
    try {
      return await kept.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || age < COOLDOWN_MS) throw error;
      return (await load())(header, token);
    }
  };
  return {
    key,
    load: async () => {
      await load();
    },
  };
}

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });
const jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

async function askForKeys(issuer: string): Promise<JWTVerifyGetKey> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const found = discovery.parse(await ask(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, signal));
  if (found.issuer !== issuer)
    throw new Error(`the discovery document is of ${found.issuer}; OIDC_ISSUER must be written exactly so`);
  return createLocalJWKSet(jwks.parse(await ask(found.jwks_uri, signal)));
}

/** Where it is, or nowhere: what an issuer says must not lead elsewhere. */
async function ask(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}
