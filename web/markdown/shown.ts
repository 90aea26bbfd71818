import type { Root } from 'mdast';
import { headOf, labelsIn, openCode, type Block, type Blocks, type Known, type Whole } from './blocks.ts';
import { closed } from './streaming.ts';
import { isTame, parse } from './syntax.ts';

export interface Context {
  readonly known: Known;
  /** Labels of footnotes in the order in which they are first referred to. */
  readonly notes: readonly string[];
  /** Makes the anchors of footnotes this answer's own. */
  readonly id: string;
}

/** Blocks of one list or one table, or that stand by themselves. */
export interface Group {
  readonly within: Whole | null;
  readonly runs: (readonly Block[])[];
}

/** Blocks that are compared together: a thousand of them are then some thirty for React with each delta. */
const RUN = 32;

/** A block of so many characters is parsed with each delta, in a few milliseconds. */
const SHORT = 2_000;

/**
 * For how many milliseconds a long block stands as it is while it grows: an item with a list of hundreds in it, or a
 * quote as long, is parsed whole, and with each delta that would take all of the time.
 */
export function pauseOf({ at, last }: Blocks, text: string): number {
  const length = text.length - at;
  return length <= SHORT || openCode(last) !== null ? 0 : Math.ceil(length / SHORT) * 32;
}

/** What an answer shows now. Items of one list stand in one list, rows of one table in one table. */
export function groupsOf({ done, last, tree, within }: Blocks, streaming: boolean): Group[] {
  const groups: { within: Whole | null; runs: Block[][] }[] = [];
  const all = last === '' ? done : [...done, ...lastBlocks({ last, tree, within }, streaming)];
  for (const block of all) {
    let group = groups.at(-1);
    if (group === undefined || group.within !== block.within) groups.push((group = { within: block.within, runs: [] }));
    const run = group.runs.at(-1);
    if (run === undefined || run.length === RUN) group.runs.push([block]);
    else run.push(block);
  }
  return groups;
}

/** What follows the list or table with the line being written is no part of it. */
function lastBlocks({ last, tree, within }: Pick<Blocks, 'last' | 'tree' | 'within'>, streaming: boolean): Block[] {
  // What looks like a label in code is none.
  if (openCode(last) !== null) return [{ source: last, tree: null, labels: [], within: null }];
  const head = headOf(within);
  const asWritten = head + last;
  const asClosed = streaming ? closed(asWritten) : asWritten;
  const source = asClosed.startsWith(head) ? asClosed : asWritten;
  if (source === asWritten && tree !== null) return [written(last, within, tree)];
  const first = within !== null && isTame(last) ? parse(source).children[0] : undefined;
  if (first === undefined || first.type !== within?.kind) return [written(source.slice(head.length), null)];
  const end = first.position?.end.offset ?? source.length;
  const rest = source.slice(end);
  const part = written(source.slice(head.length, end), within, { type: 'root', children: [first] });
  return [part, ...(rest.trim() === '' ? [] : [written(rest, null)])];
}

function written(source: string, within: Whole | null, tree: Root | null = null): Block {
  return { source, tree, labels: labelsIn(source), within };
}

export function isSameRun(
  run: readonly Block[],
  other: readonly Block[] | undefined,
  before: Context,
  after: Context,
): boolean {
  return (
    run.length === other?.length &&
    run.every((block, n) => {
      const counterpart = other[n];
      return counterpart !== undefined && isSameBlock(block, counterpart, before, after);
    })
  );
}

export function isSameBlock(block: Block, other: Block, before: Context, after: Context): boolean {
  return (
    (block === other || (block.source === other.source && block.within === other.within)) &&
    block.labels.every((label) => isSame(label, before, after))
  );
}

export function isKnown(label: string, { links, notes }: Known): boolean {
  return label.startsWith('^') ? notes.has(label.slice(1)) : links.has(label);
}

/** Whether a label still leads where it led. */
export function isSame(label: string, before: Context, after: Context): boolean {
  if (!label.startsWith('^')) return before.known.links.get(label)?.url === after.known.links.get(label)?.url;
  const name = label.slice(1);
  return before.notes.indexOf(name) === after.notes.indexOf(name);
}
