import type { Request } from 'express';
import { openIdentity } from '../../db/people/identities.ts';
import { authenticateToken, type HeldKey } from '../../db/people/key-holders.ts';
import type { Principal } from '../../db/people/users.ts';
import type { Database } from '../../db/database.ts';
import type { Need } from '../../domain/api-keys.ts';
import { AppError } from '../../domain/errors.ts';
import { networkOf } from '../../platform/network.ts';
import type { Issuer } from '../../platform/sign-in/issuer.ts';

/** Whom a request acts for, and the key of ours with which it came; null: it came with a token of the issuer. */
export interface SignedIn {
  readonly principal: Principal;
  readonly key: HeldKey | null;
}

export type Authenticate = (request: Request) => Promise<SignedIn>;

/** Three parts of base64url. A key of ours has no dot. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/**
 * Accepts a key of ours, or a token of the issuer where there is one.
 * @throws AppError unauthorized, the same for a token that is missing, malformed, unknown, revoked, expired or somebody
 *   else's; unavailable while the issuer's keys are not available.
 */
export function createAuthenticate({ database, issuer }: { database: Database; issuer: Issuer | null }): Authenticate {
  return async (request) => {
    const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined) throw new AppError('unauthorized');
    if (issuer !== null && JWT.test(token))
      return { principal: await openIdentity(database, await issuer.identify(token)), key: null };
    const holder = await authenticateToken(database, { token, from: networkOf(request) });
    if (holder === null) throw new AppError('unauthorized');
    return holder;
  };
}

/**
 * A key that a person made does what its scopes say, and nothing else. An operator's key does what its person may; keys
 * are made only by who signed in, which an operator's key is for people whom no issuer knows.
 * @throws AppError insufficient_scope, sign_in_required.
 */
export function assertMay({ key }: SignedIn, need: Need): void {
  if (key === null) return;
  if (need === 'sign_in') {
    if (!key.isTheirSignIn) throw new AppError('sign_in_required');
  } else if (key.scopes !== null) {
    if (need === 'person') throw new AppError('sign_in_required');
    if (!key.scopes.includes(need)) throw new AppError('insufficient_scope', { requiredScope: need });
  }
}
