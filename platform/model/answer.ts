import type { CallDelta, Choice, ChoiceDelta, Logprobs, TokenLogprob } from '../../domain/choice.ts';
import { GrowingText } from '../growing-text.ts';
import { Calls } from './calls.ts';
import type { Piece } from './dialect.ts';
import { finishOf } from './finish.ts';
import type { OutputBound } from './output-bound.ts';
import { mergeUsage, type ReadUsage } from './usage.ts';

/** An answer as its pieces make it up. Without a clock: how long to wait for the next is the call's business. */
export class Answer {
  readonly #bound: OutputBound;
  readonly #keepsLogprobs: boolean;
  readonly #calls = new Calls();
  readonly #logprobs: { content: TokenLogprob[]; refusal: TokenLogprob[] } = { content: [], refusal: [] };
  readonly #content = new GrowingText();
  readonly #refusal = new GrowingText();
  readonly #thoughts = new GrowingText();
  usage: ReadUsage | null = null;
  /** The last finish word that came. It is provisional: text after it opens the answer again. */
  finish: string | null = null;
  /** A known finish word came last, so that the answer is complete whatever happens to the connection. */
  isEnded = false;
  /** It has reached its bound; what came beyond is left out. */
  isCut = false;
  isCall = false;

  /** @param keepsLogprobs whether somebody asked for them: some providers send them unasked. */
  constructor(bound: OutputBound, { keepsLogprobs }: { keepsLogprobs: boolean }) {
    this.#bound = bound;
    this.#keepsLogprobs = keepsLogprobs;
  }

  /** Whether anything for a reader has come. */
  get hasBegun(): boolean {
    return this.#content.length > 0 || this.#refusal.length > 0 || this.#calls.all.length > 0;
  }

  get choice(): Choice {
    const { content, refusal } = this.#logprobs;
    const logprobs = filled({ content, refusal });
    return { content: this.#content.text, refusal: this.#refusal.text, calls: this.#calls.all, logprobs };
  }

  get thoughts(): string {
    return this.#thoughts.text;
  }

  /** @returns what is new. */
  take(piece: Piece): ChoiceDelta {
    const thought = this.#fitting(piece.thought);
    // A repetition of the whole adds what has not come.
    const content = this.#fitting(piece.text === '' ? restOf(piece.whole, this.#content) : piece.text);
    const refusal = this.#fitting(piece.refusal === '' ? restOf(piece.wholeRefusal, this.#refusal) : piece.refusal);
    const parts = piece.calls.length > 0 || this.#calls.all.length > 0 ? piece.calls : piece.wholeCalls;
    const calls = this.#calls.take(parts, (text) => this.#fitting(text));
    const logprobs = this.#keepsLogprobs && !this.isCut ? piece.logprobs : null;
    this.#thoughts.push(thought);
    this.#content.push(content);
    this.#refusal.push(refusal);
    this.#keep(logprobs);
    if (piece.usage !== null) this.usage = mergeUsage(this.usage, piece.usage);
    this.isCall ||= piece.isCall;
    this.finish = piece.finish ?? this.finish;
    const isEnd = piece.finish !== null && finishOf(piece.finish) !== null;
    const isNew = content !== '' || refusal !== '' || thought !== '' || calls.length > 0;
    this.isEnded = isEnd || (this.isEnded && !isNew);
    return deltaOf(content, refusal, calls, logprobs);
  }

  #keep(logprobs: Logprobs | null): void {
    this.#logprobs.content.push(...(logprobs?.content ?? []));
    this.#logprobs.refusal.push(...(logprobs?.refusal ?? []));
  }

  #fitting(text: string): string {
    if (text === '' || this.isCut) return '';
    const fitting = this.#bound.take(text);
    this.isCut = fitting.length < text.length;
    return fitting;
  }
}

function deltaOf(
  content: string,
  refusal: string,
  calls: readonly CallDelta[],
  logprobs: Logprobs | null,
): ChoiceDelta {
  return {
    ...(content === '' ? {} : { content }),
    ...(refusal === '' ? {} : { refusal }),
    ...(calls.length === 0 ? {} : { calls }),
    ...(logprobs === null ? {} : { logprobs }),
  };
}

function filled({ content, refusal }: { content: TokenLogprob[]; refusal: TokenLogprob[] }): Logprobs | null {
  if (content.length === 0 && refusal.length === 0) return null;
  return { ...(content.length === 0 ? {} : { content }), ...(refusal.length === 0 ? {} : { refusal }) };
}

/** What a repetition of the whole text adds to what has come. */
function restOf(whole: string, before: GrowingText): string {
  return whole.length > before.length && whole.startsWith(before.text) ? whole.slice(before.length) : '';
}
