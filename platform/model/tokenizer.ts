import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { CL100K_TOKEN_SPLIT_REGEX, O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import { GptEncoding } from 'gpt-tokenizer/GptEncoding';
import type { Encoding } from '../../domain/model.ts';

const PIECES = { o200k_base: O200K_TOKEN_SPLIT_REGEX, cl100k_base: CL100K_TOKEN_SPLIT_REGEX } as const satisfies Record<
  Encoding,
  RegExp
>;

/** What a person types is text: `<|endoftext|>` is counted as its characters. */
const AS_TEXT = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/**
 * Merging is quadratic in a piece's length: 32,000 emoji took 3.9 s of the event loop, 32,000 times one syllable 1.8 s,
 * 'a' 0.25 s. A longer piece is counted in slices of 128 characters: 5 ms, and 50 ms for 32,000 random syllables.
 * Ordinary text has no such piece and its count is exact; runs without an end are mostly too (random letters +0.2 %,
 * spaces and tabs in turn -1.6 %).
 */
const LONGEST_PIECE = 128;
const SLICES = new RegExp(`.{1,${LONGEST_PIECE}}`, 'gsu');

/** Remembered pieces, at most 2.5 KB each: the package's 100,000 would let random text fill 250 MB an encoding. */
const REMEMBERED_PIECES = 10_000;

/** In bytes, with room to spare: the longest there is has 128. */
const LONGEST_TOKEN = 1_024;

const loaded = new Map<Encoding, GptEncoding>();

/** The number of tokens of any text; the same text always has the same count. */
export function countTokens(text: string, encoding: Encoding): number {
  const tokenizer = loadEncoding(encoding);
  let tokens = 0;
  let at = 0;
  for (const { 0: piece, index } of text.matchAll(PIECES[encoding])) {
    if (piece.length <= LONGEST_PIECE) continue;
    tokens += tokenizer.countTokens(text.slice(at, index), AS_TEXT);
    for (const slice of piece.match(SLICES) ?? []) tokens += tokenizer.countTokens(slice, AS_TEXT);
    at = index + piece.length;
  }
  return tokens + tokenizer.countTokens(at === 0 ? text : text.slice(at), AS_TEXT);
}

/**
 * 0.1 to 0.3 s and some 10 to 20 MB each: for each that a catalogue names, at the start of a process, because later it
 * would hold up running streams for as long.
 */
export function loadEncoding(encoding: Encoding): GptEncoding {
  const known = loaded.get(encoding);
  if (known !== undefined) return known;
  const tokenizer = GptEncoding.getEncodingApi(encoding, readRanks);
  tokenizer.setMergeCacheSize(REMEMBERED_PIECES);
  loaded.set(encoding, tokenizer);
  return tokenizer;
}

/**
 * Lines of a token's bytes in base64 and its rank. The package also brings them as modules, of which V8 keeps the
 * source (4 MB) and much of what parsing it took; what those hold as text is text here too, and the rest, and what
 * begins with a byte order mark, its bytes.
 */
export function readRanks(encoding: string): (string | number[])[] {
  const file = readFileSync(createRequire(import.meta.url).resolve(`gpt-tokenizer/data/${encoding}.tiktoken`));
  const ranks: (string | number[])[] = [];
  const bytes = Buffer.alloc(LONGEST_TOKEN);
  for (let at = 0, end = 0; at < file.length; at = end + 1) {
    const space = file.indexOf(' ', at);
    end = file.indexOf('\n', space);
    const length = bytes.write(file.toString('latin1', at, space), 'base64');
    const text = bytes.toString('utf8', 0, length);
    const isText = !text.startsWith('\ufeff') && (!text.includes('\ufffd') || isUtf8(bytes.subarray(0, length)));
    ranks[Number(file.toString('latin1', space + 1, end))] = isText ? text : [...bytes.subarray(0, length)];
  }
  return ranks;
}
