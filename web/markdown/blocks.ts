import type { Code, Definition, FootnoteDefinition, Root, RootContent, TableRow } from 'mdast';
import { isTame, parse } from './syntax.ts';

/** A piece of a text that is drawn by itself: a block, one item of a list, or one row of a table. */
export interface Block {
  readonly source: string;
  /** Parsed alone. */
  readonly tree: Root | null;
  /** Labels that it may refer to, as they are written. */
  readonly labels: readonly string[];
  /** The list or table that it is a part of; the same object for all of its parts. */
  readonly within: Whole | null;
}

export type Whole = List | Table;

export interface List {
  readonly kind: 'list';
  readonly ordered: boolean;
  readonly start: number;
  /** Whether its items stand apart, as its first two do. */
  readonly apart: boolean;
}

export interface Table {
  readonly kind: 'table';
  /** The line of its titles and the rule below it. A row is parsed behind them. */
  readonly head: string;
}

/** What the blocks of a text may refer to. The first definition of a label counts. */
export interface Known {
  readonly links: ReadonlyMap<string, Definition>;
  readonly notes: ReadonlyMap<string, FootnoteDefinition>;
}

/** A text split into its blocks. While the text grows, only the last block can change. */
export interface Blocks {
  readonly text: string;
  /** Finished blocks, in order; between them is only blank space. */
  readonly done: readonly Block[];
  /** The source of the block that may still grow, with the line being written. */
  readonly last: string;
  /** `last` parsed alone, where it is one block of whole lines. */
  readonly tree: Root | null;
  /** The list or table that `last` goes on with. */
  readonly within: Whole | null;
  /** The position of `last` in `text`. */
  readonly at: number;
  readonly known: Known;
}

const NONE: Blocks = {
  text: '',
  done: [],
  last: '',
  tree: null,
  within: null,
  at: 0,
  known: { links: new Map(), notes: new Map() },
};

/** @param before the blocks of a text that this one may continue; then only its last part is parsed again. */
export function splitBlocks(text: string, before: Blocks = NONE): Blocks {
  const from = text.startsWith(before.text) ? before : NONE;
  // The whole lines are those of before.
  if (from === before && !text.includes('\n', before.text.length))
    return { ...from, text, last: text.slice(from.at), tree: null };
  const known = afterCode(text, from);
  const tail = text.slice(known.at);
  // Only whole lines are parsed: a `*` begins a list until it turns out to be `**bold**`.
  const lines = tail.slice(0, tail.lastIndexOf('\n') + 1);
  // The lines of code that is still open are not parsed again with each of them.
  if (lines === '' || openCode(lines) !== null || !isTame(lines)) return { ...known, text, last: tail, tree: null };
  const head = headOf(known.within);
  const nodes = parse(head + lines).children;
  const done: Block[] = [];
  let { within } = known;
  let at = 0;
  let tree: Root | null = null;
  for (const [i, node] of nodes.entries()) {
    const isLast = i === nodes.length - 1;
    // As long as nothing of a list is done, what comes still says how it looks.
    const isNew =
      i > 0 || within?.kind !== node.type || (within.kind === 'list' && known.done.at(-1)?.within !== within);
    if (isNew) within = wholeOf(node, head + lines);
    const pieces = within === null ? [node] : partsOf(node);
    for (const [n, piece] of pieces.entries()) {
      at = startOf(piece) - head.length;
      tree = { type: 'root', children: [within === null ? node : alone(node, piece)] };
      if (isLast && n === pieces.length - 1) break;
      const end = (piece.position?.end.offset ?? 0) - head.length;
      done.push(blockOf(lines.slice(at, end), tree, within));
    }
  }
  return {
    text,
    done: done.length === 0 ? known.done : [...known.done, ...done],
    last: tail.slice(at),
    tree: lines === tail ? tree : null,
    within,
    at: known.at + at,
    known: learn(known.known, nodes.slice(0, -1)),
  };
}

/** What stands before each part of a table, so that it is parsed as a row. */
export function headOf(within: Whole | null): string {
  return within?.kind === 'table' ? within.head : '';
}

/** @returns null for what is drawn as one: a table is until it has a row. */
function wholeOf(node: RootContent, source: string): Whole | null {
  if (node.type === 'list') {
    const [first, second] = node.children;
    const apart = (second?.position?.start.line ?? 0) > (first?.position?.end.line ?? 0) + 1;
    return { kind: 'list', ordered: node.ordered === true, start: node.start ?? 1, apart };
  }
  const [, row] = node.type === 'table' ? node.children : [];
  return row === undefined ? null : { kind: 'table', head: source.slice(startOf(node), startOf(row)) };
}

/** Items, or rows without the head. */
function partsOf(node: RootContent): readonly RootContent[] {
  return node.type === 'list' ? node.children : node.type === 'table' ? node.children.slice(1) : [];
}

/** What a text refers to when its last block counts, too. */
export function knownOf({ known, last, within }: Blocks): Known {
  return /^ {0,3}\[/m.test(last) && isTame(last) ? learn(known, parse(headOf(within) + last).children) : known;
}

/** The labels of footnotes that have a text, in the order in which they are first referred to. */
export function notesOf(text: string, { notes }: Known): string[] {
  if (notes.size === 0) return [];
  const referred = [...text.matchAll(/\[\^([^\]\s]+)\](?!:)/g)].map(([, label = '']) => label.toUpperCase());
  return [...new Set(referred)].filter((label) => notes.has(label));
}

const CODE = /^ {0,3}(`{3,}|~{3,})([^\n`]*)\n/;

/** The language and the code of a fence that is not closed yet; null for anything else. */
export function openCode(source: string): { language: string; code: string } | null {
  const [opening, fence = '', info = ''] = CODE.exec(source) ?? [];
  if (opening === undefined) return null;
  const code = source.slice(opening.length);
  if (closingOf(fence).test(code)) return null;
  return { language: info.trim().split(/\s/)[0] ?? '', code };
}

/**
 * Goes on behind code whose fence is closed. Nothing that follows changes it, so its lines are never parsed: 20 KB of
 * them take longer than a frame.
 */
function afterCode(text: string, from: Blocks): Blocks {
  const blocks: Block[] = [];
  let { at } = from;
  for (;;) {
    const source = text.slice(at, text.lastIndexOf('\n') + 1);
    const code = closedCode(source);
    if (code === null)
      return blocks.length === 0 ? from : { ...from, done: [...from.done, ...blocks], at, within: null };
    const { node, end } = code;
    // What looks like a label in code is none.
    blocks.push({ source: source.slice(0, end), tree: { type: 'root', children: [node] }, labels: [], within: null });
    at += end + (/^(?:[ \t]*\n)*/.exec(source.slice(end))?.[0].length ?? 0);
  }
}

/**
 * The code that the text begins with, and where it ends; null for anything else, where it is still open, and where its
 * lines are not what they say.
 */
function closedCode(source: string): { node: Code; end: number } | null {
  const [opening, fence = ''] = CODE.exec(source) ?? [];
  if (opening === undefined || opening.startsWith(' ')) return null;
  const closing = closingOf(fence).exec(source.slice(opening.length));
  if (closing === null) return null;
  const end = opening.length + closing.index + closing[0].length;
  const value = source.slice(opening.length, opening.length + closing.index).replace(/\n$/, '');
  const [node] = parse(opening + closing[0]).children;
  return node?.type !== 'code' || /[\r\0]/.test(value) ? null : { node: { ...node, value }, end };
}

function closingOf(fence: string): RegExp {
  return new RegExp(`^ {0,3}${fence[0] === '~' ? '~' : '`'}{${fence.length},}[ \\t]*$`, 'm');
}

function blockOf(source: string, tree: Root, within: Whole | null): Block {
  return { source, tree, labels: labelsIn(source), within };
}

export function labelsIn(source: string): string[] {
  return [...source.matchAll(/\[(\^?[^[\]]{1,999})\]/g)].map(([, label = '']) => label.toUpperCase().trim());
}

/** A list of one item, or a table of one row below an empty head. */
function alone(whole: RootContent, part: RootContent): RootContent {
  if (whole.type === 'table') return { ...whole, children: [EMPTY_ROW, part as TableRow] };
  return { ...whole, children: [part] } as RootContent;
}

const EMPTY_ROW: TableRow = { type: 'tableRow', children: [] };

function learn(known: Known, nodes: readonly RootContent[]): Known {
  const links = nodes.filter((node) => node.type === 'definition');
  const notes = nodes.filter((node) => node.type === 'footnoteDefinition');
  if (links.length === 0 && notes.length === 0) return known;
  return { links: withFirst(known.links, links), notes: withFirst(known.notes, notes) };
}

function withFirst<Node extends { readonly identifier: string }>(
  before: ReadonlyMap<string, Node>,
  nodes: readonly Node[],
): ReadonlyMap<string, Node> {
  const all = new Map(before);
  for (const node of nodes) {
    const label = node.identifier.toUpperCase();
    if (!all.has(label)) all.set(label, node);
  }
  return all;
}

/** The start of the block's line, because the indentation of a code block or list belongs to it. */
function startOf({ position }: RootContent): number {
  if (position?.start.offset === undefined) throw new Error('a parsed block knows its place');
  return position.start.offset - (position.start.column - 1);
}
