import { mark } from '../test/fake-model/scenario.ts';

/** How the model is to answer: `chunks` times `text`, `delayMs` apart and before the first. */
export interface Answer {
  readonly chunks: number;
  readonly text: string;
  readonly delayMs: number;
}

/** The end of a question that scripts its answer, the same for every contender. */
export function markOf({ chunks, text, delayMs }: Answer): string {
  return mark({ chunks: { count: chunks, text }, delayMs });
}

/**
 * A syllable with its space is one token or two of every encoding in use, so an answer of n chunks costs n tokens at
 * least.
 */
const TEXT = ' 토큰';

export const ANSWERS = {
  /** Nothing but the way there and back. */
  atOnce: { chunks: 20, text: TEXT, delayMs: 0 },
  /** 200 ms, as a short answer of a quick model. */
  short: { chunks: 20, text: TEXT, delayMs: 10 },
  /** 2 s at 200 chunks a second: as fast as models stream. */
  long: { chunks: 400, text: TEXT, delayMs: 5 },
  /** 50 chunks a second, for as long as it takes. */
  steady: { chunks: 50, text: TEXT, delayMs: 20 },
} as const satisfies Record<string, Answer>;
