import type { Schemas } from '../api/schemas.ts';

export type Key = Schemas['Key'];
export type MintedKey = Schemas['MintedKey'];
export type NewKey = Schemas['NewKey'];
type Scope = Key['scopes'][number];

export const SCOPES = ['v1', 'chat', 'read'] as const satisfies readonly Scope[];
/** Days after which a key may end. */
export const ENDS = ['7', '30', '90', '365'] as const;

/** What a form holds of a key: numbers as they are typed. */
export interface Draft {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Null: all. */
  readonly models: readonly string[] | null;
  readonly capKind: 'none' | 'period' | 'total';
  readonly capTokens: string;
  readonly rate: string;
  readonly ends: 'keep' | 'never' | (typeof ENDS)[number];
}

/** @param of null: a new key, which may use the OpenAI door alone until more is chosen. */
export function draftOf(of: Key | null): Draft {
  if (of === null)
    return { name: '', scopes: ['v1'], models: null, capKind: 'none', capTokens: '', rate: '', ends: 'never' };
  return {
    name: of.name,
    scopes: SCOPES.filter((scope) => of.scopes.includes(scope)),
    models: of.models,
    capKind: of.capKind ?? 'none',
    capTokens: String(of.capTokens ?? ''),
    rate: String(of.requestsPerMinute ?? ''),
    ends: of.expiresAt === null ? 'never' : 'keep',
  };
}

/**
 * @param of the key before. Models that were not touched are not sent: one may be offered no more.
 * @param now in milliseconds.
 */
export function bodyOf(
  { name, scopes, models, capKind, capTokens, rate, ends }: Draft,
  of: Key | null,
  now: number,
): NewKey {
  return {
    name,
    scopes: [...scopes],
    ...(models === of?.models ? {} : { models: models === null ? null : [...models] }),
    ...(capKind === 'none' ? { capTokens: null } : { capTokens: Number(capTokens), capKind }),
    requestsPerMinute: rate === '' ? null : Number(rate),
    ...(ends === 'keep' ? {} : { expiresAt: ends === 'never' ? null : inDays(Number(ends), now) }),
  };
}

function inDays(days: number, now: number): string {
  return new Date(now + days * 86_400_000).toISOString();
}
