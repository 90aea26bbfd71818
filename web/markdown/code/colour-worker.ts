import { cut, type Coloured } from './cut.ts';
import { highlight } from './highlight.ts';
import { piecesOf } from './pieces.ts';

/** What the page sends: code that is to be coloured. */
export interface Order {
  readonly language: string;
  readonly code: string;
}

/** The code's pieces; null for a language that is not known here. */
export type Colours = readonly (readonly Coloured[])[] | null;

addEventListener('message', ({ data: { language, code } }: MessageEvent<Order>) => {
  const nodes = highlight(language, code);
  const lengths = piecesOf(code).map(({ text }) => text.length);
  postMessage((nodes === null ? null : cut(nodes, lengths)) satisfies Colours);
});
