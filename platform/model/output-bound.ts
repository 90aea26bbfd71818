import type { Encoding } from '../../domain/model.ts';
import { GrowingText } from '../growing-text.ts';
import { countTokens } from '../tokens/tokenizer.ts';

/** Text is counted in parts of about so many UTF-16 units; each seam adds at most a token. */
const PART = 1_024;
/** What is left of a piece that does not fit whole is taken in slices of so many code points. */
const SLICES = /.{1,32}/gsu;

/**
 * Bounds what a provider sends by the tokens of our own count, at the cost of nothing for answers that have fewer bytes
 * than the bound has tokens: a token has at least one byte.
 */
export class OutputBound {
  readonly #most: number;
  readonly #encoding: Encoding;
  #counted = 0;
  #part = new GrowingText();
  /** No fewer tokens than have come. */
  #atMost = 0;

  constructor(most: number, encoding: Encoding) {
    this.#most = most;
    this.#encoding = encoding;
  }

  /** @returns the beginning of the text that fits; shorter than the text: the bound is reached. */
  take(text: string): string {
    if (this.#fits(text)) return text;
    let taken = '';
    for (const [slice] of text.matchAll(SLICES)) {
      if (!this.#fits(slice)) break;
      taken += slice;
    }
    return taken;
  }

  #fits(text: string): boolean {
    const bytes = Buffer.byteLength(text);
    if (this.#atMost + bytes > this.#most) {
      // A piece that is far too long is not counted whole.
      if (bytes > 128 * this.#most) return false;
      const tokens = countTokens(this.#part.text, this.#encoding);
      this.#atMost = this.#counted + tokens;
      if (this.#part.length >= PART) {
        this.#counted = this.#atMost;
        this.#part = new GrowingText();
      }
      if (this.#atMost + bytes > this.#most) {
        this.#atMost = this.#counted + countTokens(this.#part.text + text, this.#encoding);
        if (this.#atMost > this.#most) return false;
        this.#part.push(text);
        return true;
      }
    }
    this.#atMost += bytes;
    this.#part.push(text);
    return true;
  }
}
