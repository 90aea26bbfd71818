import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import type { Usage } from '../../domain/usage.ts';

/** More than any model's context. A larger figure is a mistake, and debits are capped below 10^12. */
const MOST_TOKENS = 100_000_000;

/**
 * Reads a provider's usage. Cached tokens lie inside prompt tokens, and reasoning inside completion tokens: a part that
 * is larger than its whole is cut to it, an impossible part is 0.
 * @returns null for what cannot be true (G14): negative, not whole, not a number, or nothing at all.
 */
export function readUsage(usage: NonNullable<ChatCompletionChunk['usage']>): Usage | null {
  const promptTokens = usage.prompt_tokens;
  const completionTokens = usage.completion_tokens;
  if (!isCount(promptTokens) || !isCount(completionTokens) || promptTokens + completionTokens === 0) return null;
  return {
    promptTokens,
    completionTokens,
    cachedTokens: atMost(usage.prompt_tokens_details?.cached_tokens, promptTokens),
    reasoningTokens: atMost(usage.completion_tokens_details?.reasoning_tokens, completionTokens),
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MOST_TOKENS;
}

function atMost(value: number | null | undefined, whole: number): number {
  return isCount(value) ? Math.min(value, whole) : 0;
}
