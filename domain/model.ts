/** Integer thousandths of a metered token per provider token, all > 0 (1000 = one for one). */
export interface Rate {
  readonly input: number;
  readonly cachedInput: number;
  readonly output: number;
}

/**
 * A rate as it was published: what a hold fixes and its debit uses, whatever the catalogue says later. Numbered per
 * model from 1.
 */
export interface RateVersion extends Rate {
  readonly id: number;
  readonly version: number;
}

/** A model on offer, with its rate as published. */
export interface PricedModel extends Model {
  readonly rate: RateVersion;
}

/** One entry of the catalogue. All sizes are tokens of `encoding`. */
export interface Model {
  readonly name: string;
  readonly instructions: string;
  /** Bounds the earlier messages of a prompt only (text + 4 each), without instructions and question. */
  readonly historyTokens: number;
  readonly contextWindow: number;
  readonly maxOutputTokens: number;
  readonly defaultOutputTokens: number;
  /** The field by which this model's provider takes the output limit. */
  readonly limitField: 'max_completion_tokens' | 'max_tokens';
  readonly encoding: Encoding;
  readonly rate: Rate;
}

export type Encoding = 'o200k_base' | 'cl100k_base';
