import type { Locale } from './messages.ts';
import { isTimeZone } from './time-zones.ts';

/**
 * What a token of an OIDC issuer says of a person. Issuer and subject name them; an e-mail only shows who it is, and
 * joins nobody.
 */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly role: 'user' | 'admin';
  /** Lower case; null unless the issuer has verified it. */
  readonly email: string | null;
  /** Where the person begins; what they choose later stays. */
  readonly locale: Locale;
  readonly timeZone: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

export type Claims = Readonly<Record<string, unknown>>;

/** Which claim holds roles, and which of them is our admin; null: nobody of this issuer is. */
export interface RoleRule {
  readonly claim: string;
  readonly adminRole: string | null;
}

/** Exact words only: `admin` is no part of `not-admin`, and a claim of another shape is no role. */
export function roleOf(claims: Claims, { claim, adminRole }: RoleRule): 'user' | 'admin' {
  const held = findClaim(claims, claim);
  const roles: readonly unknown[] = Array.isArray(held) ? held : [held];
  return adminRole !== null && roles.includes(adminRole) ? 'admin' : 'user';
}

/** By its own name (`https://example.com/roles` has dots), else as a path (`realm_access.roles`). */
function findClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name
    .split('.')
    .reduce<unknown>(
      (within, key) => (isRecord(within) && Object.hasOwn(within, key) ? within[key] : undefined),
      claims,
    );
}

/** An address that anybody may write into their profile would show an admin somebody else. */
export function emailOf({ email, email_verified: verified }: Claims): string | null {
  return verified === true &&
    typeof email === 'string' &&
    /^[^\s@\0]{1,64}@[^\s@\0]{1,255}$/.test(email) &&
    email.isWellFormed()
    ? email.toLowerCase()
    : null;
}

/** `en-US` is English; what we do not speak is Korean, as for everybody who has not chosen. */
export function localeOf({ locale }: Claims): Locale {
  return typeof locale === 'string' && /^en\b/i.test(locale) ? 'en' : 'ko';
}

/** By the standard claim; else that of most who come. */
export function timeZoneOf({ zoneinfo }: Claims): string {
  return typeof zoneinfo === 'string' && isTimeZone(zoneinfo) ? zoneinfo : 'Asia/Seoul';
}

function isRecord(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null;
}
