import { createHash, randomBytes } from 'node:crypto';

/** What a key's secret looks like. */
export const SECRET = /^tk_[A-Za-z0-9_-]{43}$/;

/**
 * A new secret, what is kept of it, and how it is shown ever after. It has 256 random bits, which nobody can guess, so
 * a plain hash protects the table.
 */
export function mintSecret(): { secret: string; hash: Buffer; hint: string } {
  const secret = `tk_${randomBytes(32).toString('base64url')}`;
  return { secret, hash: hashSecret(secret), hint: `${secret.slice(0, 6)}…${secret.slice(-4)}` };
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
