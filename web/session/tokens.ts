export interface Tokens {
  readonly token: string;
  /** Milliseconds since the epoch, by this browser's clock; Infinity for a key. */
  readonly expiresAt: number;
}

/** Where the provider sends people back to, as it is registered there. */
export const RETURN_PATH = '/auth/callback';
