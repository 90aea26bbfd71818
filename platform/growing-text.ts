/** So many pieces become one text. */
const JOINED_AT = 64;

/**
 * A text that grows piece by piece. V8 keeps `a + b` as a node that points at both, so an answer of 1,300 chunks of six
 * bytes, which several parts of the program add up, was some 100 KB of nodes for 8 KB of text.
 */
export class GrowingText {
  readonly #joined: string[] = [];
  #pieces: string[] = [];
  /** In UTF-16 units. */
  length = 0;

  push(piece: string): void {
    if (piece === '') return;
    this.length += piece.length;
    this.#pieces.push(piece);
    if (this.#pieces.length < JOINED_AT) return;
    this.#joined.push(this.#pieces.join(''));
    this.#pieces = [];
  }

  get text(): string {
    return this.#joined.join('') + this.#pieces.join('');
  }
}
