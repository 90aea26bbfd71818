import { mark } from '../test/fake-model/scenario.ts';

/** How the model answers: `chunks` times `text`, with `delayMs` before each. */
export interface Answer {
  readonly chunks: number;
  readonly text: string;
  readonly delayMs: number;
}

/** The end of a question, which tells the fake model how to answer; it is the same for every contender. */
export function markOf({ chunks, text, delayMs }: Answer): string {
  return mark({ chunks: { count: chunks, text }, delayMs });
}

/**
 * A syllable with its space is one or two tokens in every encoding in use, so an answer of n chunks costs at least n
 * tokens.
 */
const TEXT = ' 토큰';

export const ANSWERS = {
  /** No delay at all: only the way there and back counts. */
  atOnce: { chunks: 20, text: TEXT, delayMs: 0 },
  /** 200 ms: a short answer of a quick model. */
  short: { chunks: 20, text: TEXT, delayMs: 10 },
  /** 2 s at 200 chunks a second: as fast as models stream. */
  long: { chunks: 400, text: TEXT, delayMs: 5 },
  /** 50 chunks a second, for as long as a measurement needs. */
  steady: { chunks: 50, text: TEXT, delayMs: 20 },
} as const satisfies Record<string, Answer>;
