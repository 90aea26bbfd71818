import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

/** Longer than any healthy issuer takes. A request waits for it at most once. */
const ANSWER_WITHIN_MS = 4_000;
/** Keys that are older are asked for again, beside the request that finds them old. */
const FRESH_MS = 10 * 60_000;
/**
 * How long kept keys are used while the issuer is away, so that people with tokens can still come in. Older keys may
 * have been revoked meanwhile.
 */
const USABLE_MS = 60 * 60_000;
/** The least time between two requests to the issuer, which bounds what tokens with unknown keys cost it. */
const COOLDOWN_MS = 10_000;
/** The least time between two requests after one that got no answer. */
const RETRY_MS = 2_000;

/** The issuer's keys are not available just now, so no token can be judged. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
}

/**
 * The public keys of an issuer, found through its discovery document and kept. A key that is not among them may be new,
 * so the issuer is asked once more. jose's own remote set is not used: it forgets old keys, so that nobody could come
 * in while the issuer is away, and it takes no other clock.
 * @param now milliseconds since the epoch.
 * @param onFailure called for each request that got no answer.
 * @returns `key` throws IssuerUnavailable, or jose's JWKSNoMatchingKey. `load` lets a process ask at its start, before
 *   anybody waits.
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

  /** Loads once, however many callers ask at the same time. */
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

/** Redirects are refused: an issuer's answer must not lead elsewhere. */
async function ask(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}
