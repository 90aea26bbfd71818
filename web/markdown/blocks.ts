import type { Root, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

// Korean writes ranges with one tilde (3~5일), so only two strike through.
const SYNTAX = { extensions: [gfm({ singleTilde: false })], mdastExtensions: [gfmFromMarkdown()] };

/** A text split into its top-level blocks. While the text grows, only the last block can change. */
export interface Blocks {
  readonly text: string;
  /** The sources of finished blocks, in order; between them is only blank space. */
  readonly done: readonly string[];
  /** The source of the block that may still grow, with the line being written. */
  readonly last: string;
  /** The position of `last` in `text`. */
  readonly at: number;
  /** Link targets defined anywhere in the text, because any block may refer to them. */
  readonly definitions: string;
}

const NONE: Blocks = { text: '', done: [], last: '', at: 0, definitions: '' };

/** @param before the blocks of a text that this one may continue; then only its last part is parsed again. */
export function splitBlocks(text: string, before: Blocks = NONE): Blocks {
  const known = text.startsWith(before.text) ? before : NONE;
  const tail = text.slice(known.at);
  // Only whole lines are parsed: a `*` begins a list until it turns out to be `**bold**`.
  const lines = tail.slice(0, tail.lastIndexOf('\n') + 1);
  const nodes = parse(lines).children;
  const done = nodes.slice(0, -1);
  const lastNode = nodes.at(-1);
  const at = known.at + (lastNode === undefined ? 0 : startOf(lastNode));
  return {
    text,
    done: [...known.done, ...done.map((node) => sourceOf(lines, node))],
    last: text.slice(at),
    at,
    definitions:
      known.definitions +
      done
        .filter(({ type }) => type === 'definition')
        .map((node) => `\n\n${sourceOf(lines, node)}`)
        .join(''),
  };
}

export function parse(source: string): Root {
  return fromMarkdown(source, SYNTAX);
}

function sourceOf(text: string, node: RootContent): string {
  return text.slice(startOf(node), node.position?.end.offset);
}

/** The start of the block's line, because the indentation of a code block or list belongs to it. */
function startOf({ position }: RootContent): number {
  if (position?.start.offset === undefined) throw new Error('a parsed block knows its place');
  return position.start.offset - (position.start.column - 1);
}
