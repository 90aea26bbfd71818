import type { Encoding } from '../../domain/model.ts';
import { createJobThread } from '../job-thread.ts';
import { countTokens } from './tokenizer.ts';

/** Counts texts of any length without holding up the event loop. */
export interface TokenCounter {
  /**
   * @param by the account whose text it is: its long texts wait behind each other, and those of others go in between.
   */
  count(text: string, encoding: Encoding, by: number): number | Promise<number>;
  /** How many texts wait for their turn. */
  waiting(): number;
  close(): Promise<void>;
}

/**
 * The longest text, in UTF-16 units, that is counted at once: the worst takes 6 ms (Han characters that no token
 * joins), an ordinary one less than handing it to a thread, which is 15 MB where nobody needs it.
 */
export const SHORT_TEXT = 6_000;

export function createTokenCounter(): TokenCounter {
  const thread = createJobThread<{ text: string; encoding: Encoding }, number>(
    new URL('./count-thread.ts', import.meta.url),
  );
  return {
    count: (text, encoding, by) =>
      text.length <= SHORT_TEXT ? countTokens(text, encoding) : thread.run({ text, encoding }, by),
    waiting: () => thread.waiting(),
    close: () => thread.close(),
  };
}
