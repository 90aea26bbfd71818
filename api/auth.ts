import type { Request } from 'express';
import { authenticateToken, type Principal } from '../db/users.ts';
import type { Database } from '../db/database.ts';
import { AppError } from '../domain/errors.ts';

/** Who a request speaks for. Sign-in through an OIDC issuer becomes a second implementation. */
export type Authenticate = (request: Request) => Promise<Principal>;

/** By our own API keys. @throws AppError unauthorized, the same for a missing, malformed, unknown and revoked token. */
export function byApiKey(database: Database): Authenticate {
  return async (request) => {
    const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    const principal = token === undefined ? null : await authenticateToken(database, token);
    if (principal === null) throw new AppError('unauthorized');
    return principal;
  };
}
