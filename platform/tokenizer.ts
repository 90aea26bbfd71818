import { countTokens as countCl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base';
import type { Encoding } from '../domain/model.ts';

const COUNT = { o200k_base: countO200k, cl100k_base: countCl100k } as const satisfies Record<Encoding, unknown>;

/** What a person types is text: `<|endoftext|>` is counted as its characters. */
const AS_TEXT = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/**
 * Merging is quadratic in the length of an unbroken run: 32,000 emoji took 7.8 s of the event loop, 32,000 syllables 1.9 s. Runs longer
 * than this are counted in slices of it (under 40 ms, whatever they hold), which adds at most a token a slice; ordinary text has none.
 */
const LONGEST_RUN = 128;
const LONG_RUN = new RegExp(`\\S{${LONGEST_RUN},}|\\s{${LONGEST_RUN},}`, 'gu');
const SLICES = new RegExp(`.{1,${LONGEST_RUN}}`, 'gsu');

/** The number of tokens of any text; the same text always has the same count. */
export function countTokens(text: string, encoding: Encoding): number {
  const count = COUNT[encoding];
  let tokens = 0;
  let at = 0;
  for (const { 0: run, index } of text.matchAll(LONG_RUN)) {
    tokens += count(text.slice(at, index), AS_TEXT);
    for (const slice of run.match(SLICES) ?? []) tokens += count(slice, AS_TEXT);
    at = index + run.length;
  }
  return tokens + count(at === 0 ? text : text.slice(at), AS_TEXT);
}
