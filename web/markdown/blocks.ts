import type { Root, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

// One tilde is how Korean writes a range (3~5일): only two strike through.
const SYNTAX = { extensions: [gfm({ singleTilde: false })], mdastExtensions: [gfmFromMarkdown()] };

/** A text in its top-level blocks. While it grows only what comes last can change; the others are done. */
export interface Blocks {
  readonly text: string;
  /** Sources of the blocks, in order; what stands between them is blank. */
  readonly done: readonly string[];
  /** The block that may still grow, with the line that is being written. */
  readonly last: string;
  /** Where `last` begins in `text`. */
  readonly at: number;
  /** Link targets given anywhere in the text: a block may refer to them. */
  readonly definitions: string;
}

const NONE: Blocks = { text: '', done: [], last: '', at: 0, definitions: '' };

/** @param before of a text that this one may continue: then only its last part is read again. */
export function splitBlocks(text: string, before: Blocks = NONE): Blocks {
  const known = text.startsWith(before.text) ? before : NONE;
  const tail = text.slice(known.at);
  // A line decides only when it is whole: `*` begins a list until it turns out to be `**bold**`.
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

/** From the beginning of its line: the indentation of a code block or a list is part of it. */
function startOf({ position }: RootContent): number {
  if (position?.start.offset === undefined) throw new Error('a parsed block knows its place');
  return position.start.offset - (position.start.column - 1);
}
