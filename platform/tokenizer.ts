import { countTokens as countCl100k, setMergeCacheSize as setCl100kCache } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as countO200k, setMergeCacheSize as setO200kCache } from 'gpt-tokenizer/encoding/o200k_base';
import { CL100K_TOKEN_SPLIT_REGEX, O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import type { Encoding } from '../domain/model.ts';

// Loaded at start (108 ms and 48 ms, 14 MB for the second): loading on demand would block a running stream for as long.
const ENCODINGS = {
  o200k_base: { count: countO200k, pieces: O200K_TOKEN_SPLIT_REGEX },
  cl100k_base: { count: countCl100k, pieces: CL100K_TOKEN_SPLIT_REGEX },
} as const satisfies Record<Encoding, unknown>;

/** What a person types is text: `<|endoftext|>` is counted as its characters. */
const AS_TEXT = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/**
 * Merging is quadratic in a piece's length: 32,000 emoji took 3.9 s of the event loop, 32,000 times one syllable 1.8 s, 'a' 0.25 s. A longer
 * piece is counted in slices of 128 characters: 5 ms, and 50 ms for 32,000 random syllables. Ordinary text has no such piece and its count is
 * exact; runs without an end are mostly too (random letters +0.2 %, spaces and tabs in turn -1.6 %).
 */
const LONGEST_PIECE = 128;
const SLICES = new RegExp(`.{1,${LONGEST_PIECE}}`, 'gsu');

// Remembered pieces, at most 2.5 KB each: the package's 100,000 would let random text fill 250 MB an encoding.
setO200kCache(10_000);
setCl100kCache(10_000);

/** The number of tokens of any text; the same text always has the same count. */
export function countTokens(text: string, encoding: Encoding): number {
  const { count, pieces } = ENCODINGS[encoding];
  let tokens = 0;
  let at = 0;
  for (const { 0: piece, index } of text.matchAll(pieces)) {
    if (piece.length <= LONGEST_PIECE) continue;
    tokens += count(text.slice(at, index), AS_TEXT);
    for (const slice of piece.match(SLICES) ?? []) tokens += count(slice, AS_TEXT);
    at = index + piece.length;
  }
  return tokens + count(at === 0 ? text : text.slice(at), AS_TEXT);
}
