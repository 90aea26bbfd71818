import type { Money } from './money.ts';

/** Tokens at a price. */
export interface Pack extends Money {
  /** A word, such as `small`. It stays the same when the price changes. */
  readonly packId: string;
  readonly name: { readonly ko: string; readonly en: string };
  /** What the price pays for. */
  readonly tokens: number;
  /** What comes on top, free of charge. */
  readonly bonusTokens: number;
}
