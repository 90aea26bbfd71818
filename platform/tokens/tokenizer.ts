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

/** Special tokens in a person's text are counted as plain characters (`<|endoftext|>`). */
const AS_TEXT = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/**
 * Longest piece that is merged whole, because merging is quadratic in a piece's length: 32,000 emoji took 3.9 s of the
 * event loop, 32,000 times one syllable 1.8 s, 'a' 0.25 s. A longer piece is counted in slices of 128 characters: 5 ms,
 * and 50 ms for 32,000 random syllables. Ordinary text has no such piece, so its count is exact. Endless runs mostly
 * are exact, too (random letters +0.2 %, spaces and tabs in turn -1.6 %).
 */
const LONGEST_PIECE = 128;
const SLICES = new RegExp(`.{1,${LONGEST_PIECE}}`, 'gsu');

/**
 * Remembered pieces take at most 2.5 KB each. With the package's default of 100,000, random text would fill 250 MB an
 * encoding.
 */
const REMEMBERED_PIECES = 10_000;

/** In bytes, with room to spare: the longest token has 128. */
const LONGEST_TOKEN = 1_024;

const loaded = new Map<Encoding, GptEncoding>();

/** The number of tokens of a text. The same text always has the same count. */
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
 * Loads an encoding, which takes 0.1 to 0.3 s and some 10 to 20 MB. A process loads each encoding of the catalogue when
 * it starts, because later it would hold up running streams for as long.
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
 * Reads a file whose lines hold a token's bytes in base64 and its rank. The package also has these as modules, but V8
 * would keep their source (4 MB) and much of what it took to parse them. A token is text where it is text in those
 * modules, too. Other tokens, and those that begin with a byte order mark, are bytes.
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
