import type { Cost } from './cost.ts';
import type { Vision } from './files/vision.ts';

/**
 * Integer thousandths of a metered token per provider token, all > 0 (1000 = one metered token for one provider token).
 */
export interface Rate {
  readonly input: number;
  readonly cachedInput: number;
  readonly output: number;
}

/**
 * A rate as it was published. A hold fixes its version, and the debit uses it whatever the catalogue says later.
 * Versions are numbered per model from 1.
 */
export interface RateVersion extends Rate {
  readonly id: number;
  readonly version: number;
}

/** A model on offer, with its published rate. */
export interface PricedModel extends Model {
  readonly rate: RateVersion;
}

/** One entry of the catalogue. All sizes are tokens of `encoding`. */
export interface Model {
  readonly name: string;
  readonly instructions: string;
  /** Limits only the earlier messages of a prompt (text + 4 each), not the instructions and the question. */
  readonly historyTokens: number;
  /** Limits the files of the earlier messages, beside their text. */
  readonly historyFileTokens: number;
  readonly contextWindow: number;
  readonly maxOutputTokens: number;
  readonly defaultOutputTokens: number;
  /** The request field in which this model's provider expects the output limit. */
  readonly limitField: 'max_completion_tokens' | 'max_tokens';
  readonly encoding: Encoding;
  /** How its provider counts images; null: it sees none. */
  readonly vision: Vision | null;
  /**
   * The least part of our own count that a provider's count of an answer may have and still be believed. 0: any is.
   */
  readonly usageFloor: number;
  /** What the provider gets the instructions as; `merged`: in front of the first question, without a role. */
  readonly systemRole: 'system' | 'developer' | 'merged';
  /** Parameters that the provider is known to refuse. */
  readonly refuses: readonly 'stream_options'[];
  /**
   * What becomes of an earlier question without an answer, because some providers refuse two in a row: it is left out,
   * or merged with the next.
   */
  readonly unanswered: 'drop' | 'merge';
  readonly rate: Rate;
  /** What its provider charges us, for reports only. Undefined: nobody has said. */
  readonly cost?: Cost | undefined;
}

export type Encoding = 'o200k_base' | 'cl100k_base';
