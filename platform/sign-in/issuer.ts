import { errors, jwtVerify } from 'jose';
import { AppError } from '../../domain/errors.ts';
import {
  emailOf,
  issuedAtOf,
  localeOf,
  nameOf,
  roleOf,
  subjectOf,
  timeZoneOf,
  type Identity,
  type RoleRule,
} from '../../domain/identity.ts';
import { createIssuerKeys, IssuerUnavailable } from './issuer-keys.ts';
import type { Logger } from '../telemetry/log.ts';

/** Identifies the person of a token of the one issuer that we trust. */
export interface Issuer {
  /**
   * @throws AppError unauthorized, the same whatever is wrong with the token; unavailable while the issuer's keys are
   *   not available.
   */
  identify(token: string): Promise<Identity>;
}

/** Only signatures with a public key: with a shared secret (HS256), anybody could sign with the public key. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** A token of another type (a logout token, for example) is no access token, whoever has signed it. */
const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
/** The clocks of two machines may differ by this much. */
const SKEW_SECONDS = 30;

export interface IssuerSettings {
  /** Exactly as in the claim `iss`. */
  readonly issuer: string;
  readonly audience: string;
  readonly role: RoleRule;
}

/**
 * Asks the issuer for its keys at once, so that no request waits for them. An issuer that does not answer does not stop
 * the start.
 */
export function createIssuer(
  { issuer, audience, role }: IssuerSettings,
  { log, now }: { log: Logger; now: () => number },
): Issuer {
  const keys = createIssuerKeys({
    issuer,
    now,
    onFailure: ({ cause }) => log.warn({ issuer, reason: wordsOf(cause) }, 'the issuer did not give its keys'),
  });
  void keys.load().catch(() => {});

  async function verify(token: string): Promise<Identity> {
    const { payload, protectedHeader } = await jwtVerify(token, keys.key, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: SKEW_SECONDS,
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'iat', 'sub'],
    });
    if (!isAccessToken(protectedHeader)) throw new errors.JWTInvalid('of another type');
    const [subject, issuedAt] = [subjectOf(payload), issuedAtOf(payload, now() + SKEW_SECONDS * 1_000)];
    if (subject === null) throw new errors.JWTInvalid('names nobody');
    if (issuedAt === null) throw new errors.JWTInvalid('issued at no time, or ahead of it');
    return {
      issuer,
      subject,
      role: roleOf(payload, role),
      email: emailOf(payload),
      name: nameOf(payload),
      locale: localeOf(payload),
      timeZone: timeZoneOf(payload),
      issuedAt,
    };
  }

  return {
    async identify(token) {
      try {
        return await verify(token);
      } catch (cause) {
        if (cause instanceof IssuerUnavailable) throw new AppError('unavailable', { retryAfter: 5 }, { cause });
        if (!(cause instanceof errors.JOSEError)) throw cause;
        // The reason is for whoever sets this up. It never quotes the token.
        log.debug(
          { reason: cause.code, claim: 'claim' in cause ? cause.claim : undefined },
          'a token of an issuer was refused',
        );
        throw new AppError('unauthorized', {}, { cause });
      }
    },
  };
}

/** The header is what its sender wrote: `typ` may be anything. */
function isAccessToken({ typ }: { readonly typ?: unknown }): boolean {
  return typ === undefined || (typeof typ === 'string' && TYPES.has(typ.toLowerCase()));
}

function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
