/** Tokens that a provider adds to the text: for each message, and once for the prompt (policy 5). */
export const TOKENS_PER_MESSAGE = 4;
export const TOKENS_PER_PROMPT = 3;

/** @param counts tokenizer counts of each message's text. @returns the tokenizer count of the prompt. */
export function countPrompt(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count + TOKENS_PER_MESSAGE, TOKENS_PER_PROMPT);
}
