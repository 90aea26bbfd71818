import type { Piece } from './dialect.ts';
import { finishOf } from './finish.ts';
import type { OutputBound } from './output-bound.ts';
import { mergeUsage, type ReadUsage } from './usage.ts';

/** An answer as its pieces make it up. Without a clock: how long to wait for the next is the call's business. */
export class Answer {
  readonly #bound: OutputBound;
  text = '';
  thoughts = '';
  usage: ReadUsage | null = null;
  /** The last finish word that came. It is provisional: text after it opens the answer again. */
  finish: string | null = null;
  /** A known finish word came last, so that the answer is complete whatever happens to the connection. */
  isEnded = false;
  /** It has reached its bound; what came beyond is left out. */
  isCut = false;
  isCall = false;

  constructor(bound: OutputBound) {
    this.#bound = bound;
  }

  /** @returns the text that is new. */
  take(piece: Piece): string {
    const thought = this.#fitting(piece.thought);
    const text = this.#fitting(piece.text === '' ? this.#rest(piece.whole) : piece.text);
    this.thoughts += thought;
    this.text += text;
    if (piece.usage !== null) this.usage = mergeUsage(this.usage, piece.usage);
    this.isCall ||= piece.isCall;
    this.finish = piece.finish ?? this.finish;
    const isEnd = piece.finish !== null && finishOf(piece.finish) !== null;
    this.isEnded = isEnd || (this.isEnded && text === '' && thought === '');
    return text;
  }

  #fitting(text: string): string {
    if (text === '' || this.isCut) return '';
    const fitting = this.#bound.take(text);
    this.isCut = fitting.length < text.length;
    return fitting;
  }

  /** What a repetition of the whole text adds to what has come. */
  #rest(whole: string): string {
    return whole.startsWith(this.text) ? whole.slice(this.text.length) : '';
  }
}
