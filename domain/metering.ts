import type { Rate } from './model.ts';
import type { Usage } from './usage.ts';

/**
 * Metered tokens of one model call: ceil(sum of tokens × rate / 1000), rounded once. The same function sizes the hold
 * and computes the debit. Cached tokens lie inside prompt tokens and reasoning inside completion tokens, so neither is
 * added twice.
 */
export function meter(usage: Pick<Usage, 'promptTokens' | 'cachedTokens' | 'completionTokens'>, rate: Rate): number {
  const { promptTokens, cachedTokens, completionTokens } = usage;
  for (const tokens of [promptTokens, cachedTokens, completionTokens]) {
    if (!Number.isSafeInteger(tokens) || tokens < 0) throw new RangeError('token counts must be integers >= 0');
  }
  for (const thousandths of [rate.input, rate.cachedInput, rate.output]) {
    if (!Number.isSafeInteger(thousandths) || thousandths < 1)
      throw new RangeError('rates must be integer thousandths > 0');
  }
  if (cachedTokens > promptTokens) throw new RangeError('cached tokens lie inside prompt tokens');
  const thousandths =
    BigInt(promptTokens - cachedTokens) * BigInt(rate.input) +
    BigInt(cachedTokens) * BigInt(rate.cachedInput) +
    BigInt(completionTokens) * BigInt(rate.output);
  return Number((thousandths + 999n) / 1000n);
}

/**
 * The largest answer with which a turn meters at no more than `room` tokens; negative when even the prompt does not
 * fit.
 */
export function outputThatFits(room: number, promptTokens: number, rate: Rate): number {
  const left = BigInt(room) * 1000n - BigInt(promptTokens) * BigInt(rate.input);
  return left < 0n ? -1 : Number(left / BigInt(rate.output));
}
