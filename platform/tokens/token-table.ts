import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Encoding } from '../../domain/model.ts';

/** What no token has. */
export const NO_RANK = 0x7fffffff;

const NEWLINE = 10;
const NO_DIGIT = 64;
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, digit] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries())
  DIGITS[digit.charCodeAt(0)] = value;

/**
 * The tokens of an encoding, found by their bytes. As strings in a map the 200,000 tokens of `o200k_base` take 18 MB of
 * a heap, which V8 looks through with every full collection; as bytes in a row they take 4.
 */
export class TokenTable {
  /** The bytes of all tokens in a row, in the order of their ranks. */
  readonly #bytes: Uint8Array;
  /** Where each token begins in them, and where the last one ends. */
  readonly #starts: Uint32Array;
  /** Ranks + 1 where the hash of a token's bytes says, or behind; 0 where there is none. */
  readonly #slots: Uint32Array;
  /** In bytes. */
  readonly #longest: number;

  /** @param lines each a token's bytes in base64 and its rank, in the order of the ranks, which begin with 0. */
  constructor(lines: Uint8Array) {
    let count = 0;
    for (const byte of lines) if (byte === NEWLINE) count += 1;
    if (lines.at(-1) !== NEWLINE) count += 1;
    const bytes = new Uint8Array(lines.length);
    this.#starts = new Uint32Array(count + 1);
    let [end, tokens, longest] = [0, 0, 0];
    for (let at = 0; tokens < count; at = lines.indexOf(NEWLINE, at) + 1) {
      const start = end;
      let [held, bits] = [0, 0];
      for (let digit = digitOf(lines, at); digit !== NO_DIGIT; digit = digitOf(lines, ++at)) {
        held = ((held << 6) | digit) & 0xffff;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes[end++] = held >> bits;
      }
      this.#starts[++tokens] = end;
      longest = Math.max(longest, end - start);
    }
    this.#bytes = bytes.slice(0, end);
    this.#longest = longest;
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(count * 2)));
    for (let rank = 0; rank < count; rank += 1) this.#put(rank);
  }

  get size(): number {
    return this.#starts.length - 1;
  }

  /** The rank of the token that has exactly these bytes; `NO_RANK` when there is none. */
  rankOf(bytes: Uint8Array, from: number, to: number): number {
    if (to - from > this.#longest) return NO_RANK;
    const last = this.#slots.length - 1;
    for (let slot = hashOf(bytes, from, to) & last; ; slot = (slot + 1) & last) {
      const rank = (this.#slots[slot] ?? 0) - 1;
      if (rank === -1) return NO_RANK;
      if (this.#is(rank, bytes, from, to)) return rank;
    }
  }

  #put(rank: number): void {
    const last = this.#slots.length - 1;
    let slot = hashOf(this.#bytes, this.#starts[rank] ?? 0, this.#starts[rank + 1] ?? 0) & last;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & last;
    this.#slots[slot] = rank + 1;
  }

  #is(rank: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[rank] ?? 0;
    if ((this.#starts[rank + 1] ?? 0) - start !== to - from) return false;
    for (let i = from; i < to; i += 1) if (this.#bytes[start + i - from] !== bytes[i]) return false;
    return true;
  }
}

/** From the data of the package `gpt-tokenizer`. Its modules hold the same, and V8 would keep their source (4 MB). */
export function readTokens(encoding: Encoding): TokenTable {
  return new TokenTable(
    readFileSync(createRequire(import.meta.url).resolve(`gpt-tokenizer/data/${encoding}.tiktoken`)),
  );
}

function digitOf(lines: Uint8Array, at: number): number {
  return DIGITS[lines[at] ?? NEWLINE] ?? NO_DIGIT;
}

/** FNV-1a, its upper half folded into the lower. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash ^ (hash >>> 15);
}
