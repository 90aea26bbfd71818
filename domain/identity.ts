import { parseEmail } from './email.ts';
import type { Locale } from './messages.ts';
import { parseName } from './people.ts';
import { resolveTimeZone } from './time-zones.ts';

/**
 * What a token of an OIDC issuer says about a person. Issuer and subject identify the person. The e-mail is only shown:
 * it never links a person to an existing user.
 */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly role: 'user' | 'admin';
  /** In lower case; null unless the issuer has verified it. */
  readonly email: string | null;
  /** What they are called, as they write it themselves; null unless the issuer says so. It stands beside the rest. */
  readonly name: string | null;
  /** Locale and time zone of a new person. What they choose later stays. */
  readonly locale: Locale;
  readonly timeZone: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

export type Claims = Readonly<Record<string, unknown>>;

/**
 * The claim `sub` as PostgreSQL can keep it: 1 to 255 characters, none of them NUL or half of a pair. A number is no
 * subject: two of them may be written alike.
 */
export function subjectOf({ sub }: Claims): string | null {
  return typeof sub === 'string' && sub.isWellFormed() && /^[^\0]{1,255}$/u.test(sub) ? sub : null;
}

/**
 * When the token was issued, in milliseconds. @returns null for a time that is none, or lies ahead.
 * @param latest milliseconds: the present, and what clocks may differ by.
 */
export function issuedAtOf({ iat }: Claims, latest: number): number | null {
  const at = typeof iat === 'number' ? Math.floor(iat) * 1_000 : NaN;
  return at >= 0 && at <= latest ? at : null;
}

/** Which claim holds roles, and which value makes an admin; null when this issuer has no admins. */
export interface RoleRule {
  readonly claim: string;
  readonly adminRole: string | null;
}

/** A role must match exactly: `not-admin` is not `admin`. A claim of another shape holds no role. */
export function roleOf(claims: Claims, { claim, adminRole }: RoleRule): 'user' | 'admin' {
  const held = findClaim(claims, claim);
  const roles: readonly unknown[] = Array.isArray(held) ? held : [held];
  return adminRole !== null && roles.includes(adminRole) ? 'admin' : 'user';
}

/**
 * The claim is looked up by its whole name first (`https://example.com/roles` has dots), then as a path
 * (`realm_access.roles`).
 */
function findClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name
    .split('.')
    .reduce<unknown>(
      (within, key) => (isRecord(within) && Object.hasOwn(within, key) ? within[key] : undefined),
      claims,
    );
}

/**
 * An unverified address is ignored: people may write any address into their profile, and an admin would see somebody
 * else.
 */
export function emailOf({ email, email_verified: verified }: Claims): string | null {
  return verified === true && typeof email === 'string' ? parseEmail(email) : null;
}

/** The standard claim `name`. */
export function nameOf({ name }: Claims): string | null {
  return typeof name === 'string' ? parseName(name) : null;
}

/** `en-US` counts as English. Any language that we do not speak becomes Korean, as for everybody who has not chosen. */
export function localeOf({ locale }: Claims): Locale {
  return typeof locale === 'string' && /^en\b/i.test(locale) ? 'en' : 'ko';
}

/** The standard claim `zoneinfo`; without it the zone of most users. */
export function timeZoneOf({ zoneinfo }: Claims): string {
  return (typeof zoneinfo === 'string' ? resolveTimeZone(zoneinfo) : null) ?? 'Asia/Seoul';
}

function isRecord(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null;
}
