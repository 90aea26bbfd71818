import type { Request } from 'express';
import { openIdentity } from '../../db/people/identities.ts';
import { authenticateToken, type Principal } from '../../db/people/users.ts';
import type { Database } from '../../db/database.ts';
import { AppError } from '../../domain/errors.ts';
import type { Issuer } from '../../platform/sign-in/issuer.ts';

/** Whom a request acts for, and the key of ours with which it came; null: it came with a token of the issuer. */
export interface SignedIn {
  readonly principal: Principal;
  readonly keyId: number | null;
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
      return { principal: await openIdentity(database, await issuer.identify(token)), keyId: null };
    const holder = await authenticateToken(database, token);
    if (holder === null) throw new AppError('unauthorized');
    const { keyId, ...principal } = holder;
    return { principal, keyId };
  };
}
