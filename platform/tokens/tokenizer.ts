import { CL100K_TOKEN_SPLIT_REGEX, O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import type { Encoding } from '../../domain/model.ts';
import { NO_RANK, readTokens, type TokenTable } from './token-table.ts';

/** How a text falls into pieces, which lie one beside the other. No token reaches over two of them. */
const PIECES = {
  o200k_base: new RegExp(O200K_TOKEN_SPLIT_REGEX),
  cl100k_base: new RegExp(CL100K_TOKEN_SPLIT_REGEX),
} as const satisfies Record<Encoding, RegExp>;

/**
 * Longest piece, in UTF-16 units, that is merged whole, because merging is quadratic in a piece's length. A longer
 * piece is counted in slices of 128 characters: 32,000 of them take 5 to 50 ms. Ordinary text has no such piece, so its
 * count is exact. Endless runs mostly are exact, too (random letters +0.2 %, spaces and tabs in turn -1.6 %).
 */
const LONGEST_PIECE = 128;
const SLICES = new RegExp(`.{1,${LONGEST_PIECE}}`, 'gsu');

/** A slice's characters may have four bytes each. */
const MOST_BYTES = 4 * LONGEST_PIECE;

const loaded = new Map<Encoding, TokenTable>();

/**
 * The number of tokens of a text, special ones taken as the characters that they are (`<|endoftext|>`). The same text
 * always has the same count.
 */
export function countTokens(text: string, encoding: Encoding): number {
  return countPieces(text, PIECES[encoding], loadEncoding(encoding), LONGEST_PIECE);
}

/**
 * Loads an encoding, which takes 0.1 s and 4 MB. A process loads each encoding of the catalogue when it starts, because
 * later it would hold up running streams for as long.
 */
export function loadEncoding(encoding: Encoding): TokenTable {
  const known = loaded.get(encoding);
  if (known !== undefined) return known;
  const table = readTokens(encoding);
  loaded.set(encoding, table);
  return table;
}

/** @param longest the longest piece that is merged whole. */
function countPieces(text: string, pieces: RegExp, table: TokenTable, longest: number): number {
  let tokens = 0;
  for (let from = 0, to = 0; from < text.length; from = to) {
    pieces.lastIndex = from;
    to = pieces.test(text) ? pieces.lastIndex : text.length;
    if (to - from <= longest) tokens += countPiece(text, from, to, table);
    else
      for (const [slice] of text.slice(from, to).matchAll(SLICES))
        tokens += countPieces(slice, pieces, table, Infinity);
  }
  return tokens;
}

const bytes = new Uint8Array(MOST_BYTES);
/** Where each part of a piece begins, and where the last one ends. */
const starts = new Uint32Array(MOST_BYTES + 1);
/** The rank of the token that each part and the next would make together. */
const joined = new Uint32Array(MOST_BYTES + 1);

function countPiece(text: string, from: number, to: number, table: TokenTable): number {
  const length = encode(text, from, to);
  // Every byte is a token.
  if (length === 1 || table.rankOf(bytes, 0, length) !== NO_RANK) return 1;
  let parts = length;
  for (let i = 0; i <= length; i += 1) starts[i] = i;
  for (let i = 0; i < length; i += 1) joined[i] = join(i, length, table);
  for (;;) {
    let least = NO_RANK;
    let at = 0;
    for (let i = 0; i < parts - 1; i += 1) {
      const rank = joined[i] ?? NO_RANK;
      if (rank >= least) continue;
      least = rank;
      at = i;
    }
    if (least === NO_RANK) return parts;
    parts -= 1;
    for (let i = at + 1; i <= parts; i += 1) {
      starts[i] = starts[i + 1] ?? length;
      joined[i] = joined[i + 1] ?? NO_RANK;
    }
    joined[at] = join(at, parts, table);
    if (at > 0) joined[at - 1] = join(at - 1, parts, table);
  }
}

function join(part: number, parts: number, table: TokenTable): number {
  return part + 2 > parts ? NO_RANK : table.rankOf(bytes, starts[part] ?? 0, starts[part + 2] ?? 0);
}

/** Puts a piece's UTF-8 into `bytes`, half a surrogate pair as U+FFFD. @returns how many there are. */
function encode(text: string, from: number, to: number): number {
  let at = 0;
  for (let i = from; i < to; i += 1) {
    const code = text.codePointAt(i) ?? 0;
    if (code < 0x80) bytes[at++] = code;
    else if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      const whole = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
      bytes[at++] = 0xe0 | (whole >> 12);
      bytes[at++] = 0x80 | ((whole >> 6) & 0x3f);
      bytes[at++] = 0x80 | (whole & 0x3f);
    } else {
      i += 1;
      bytes[at++] = 0xf0 | (code >> 18);
      bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    }
  }
  return at;
}
