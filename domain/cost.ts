import type { Currency } from './payments/money.ts';
import type { Usage } from './usage.ts';

/**
 * What a model's provider charges, for reports only: no debit ever follows it. Each price is for a million tokens, in
 * micros: integer millionths of the currency's main unit (of a won, of a dollar).
 */
export interface Cost {
  readonly currency: Currency;
  readonly prompt: number;
  /** Of tokens that the provider read from its cache; they lie inside the prompt's. */
  readonly cached: number;
  readonly completion: number;
}

/**
 * What tokens cost, in micros of the cost's currency, rounded half up once. Sums are made of what this has rounded, so
 * that a total is what its parts add up to.
 * @param tokens sums of provider's tokens; cached ones lie inside the prompt's.
 */
export function costOf(
  { promptTokens, cachedTokens, completionTokens }: Pick<Usage, 'promptTokens' | 'cachedTokens' | 'completionTokens'>,
  { prompt, cached, completion }: Cost,
): number {
  if (cachedTokens > promptTokens) throw new RangeError('cached tokens lie inside prompt tokens');
  const millionths =
    BigInt(promptTokens - cachedTokens) * BigInt(prompt) +
    BigInt(cachedTokens) * BigInt(cached) +
    BigInt(completionTokens) * BigInt(completion);
  return Number((millionths + 500_000n) / 1_000_000n);
}
