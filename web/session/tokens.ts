export interface Tokens {
  readonly token: string;
  /** Milliseconds since 1970, by this browser's clock; Infinity for a key. */
  readonly expiresAt: number;
}

/** The path to which the provider sends people back; it is registered there. */
export const RETURN_PATH = '/auth/callback';
