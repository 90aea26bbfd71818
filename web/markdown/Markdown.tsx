import type { Element, ElementContent } from 'hast';
import { toJsxRuntime } from 'hast-util-to-jsx-runtime';
import type { FootnoteDefinition, FootnoteReference, Nodes, Root } from 'mdast';
import { toHast } from 'mdast-util-to-hast';
import { memo, useId, useState, type ReactNode } from 'react';
import { Fragment, jsx, jsxs } from 'react/jsx-runtime';
import {
  knownOf,
  labelsIn,
  notesOf,
  openCode,
  splitBlocks,
  type Block,
  type Blocks,
  type Known,
  type List,
} from './blocks.ts';
import { CodeBlock, Streaming } from './CodeBlock.tsx';
import { COMPONENTS } from './Elements.tsx';
import { Footnotes } from './Footnotes.tsx';
import { closed } from './streaming.ts';
import { isTame, parse } from './syntax.ts';

/**
 * Draws an answer. HTML in it is shown as text: a model's words become elements only through Markdown.
 * @param streaming whether more may follow: signs that are still open are then taken as closed.
 */
export function Markdown({ text, streaming }: { text: string; streaming: boolean }) {
  const id = useId();
  const [blocks, setBlocks] = useState(() => splitBlocks(text));
  const now = blocks.text === text ? blocks : splitBlocks(text, blocks);
  if (now !== blocks) setBlocks(now);
  const known = knownOf(now);
  const notes = notesOf(text, known);
  const context: Context = { known, notes, id };
  return (
    <Streaming value={streaming}>
      {grouped(now, streaming).map(({ list, blocks: members }, i) =>
        list === null ? (
          members.map((block, n) => <Drawn key={`${i}.${n}`} block={block} context={context} />)
        ) : (
          <ListOf key={i} list={list}>
            {members.map((block, n) => (
              <Drawn key={n} block={block} context={context} />
            ))}
          </ListOf>
        ),
      )}
      {notes.length > 0 && (
        <Footnotes>
          {notes.map((label) => (
            <li key={label} id={`${id}${label}`} tabIndex={-1}>
              {draw({ type: 'root', children: known.notes.get(label)?.children ?? [] }, context)}
            </li>
          ))}
        </Footnotes>
      )}
    </Streaming>
  );
}

export interface Context {
  readonly known: Known;
  /** Labels of footnotes in the order in which they are first referred to. */
  readonly notes: readonly string[];
  /** Makes the anchors of footnotes this answer's own. */
  readonly id: string;
}

interface Group {
  readonly list: List | null;
  readonly blocks: Block[];
}

/** Items of one list stand in one list. */
function grouped({ done, last, list }: Blocks, streaming: boolean): Group[] {
  const groups: Group[] = [];
  const all = last === '' ? done : [...done, ...lastBlocks(last, list, streaming)];
  for (const block of all) {
    const group = groups.at(-1);
    if (group !== undefined && group.list === block.list) group.blocks.push(block);
    else groups.push({ list: block.list, blocks: [block] });
  }
  return groups;
}

/** What follows the list with the line being written is no part of it. */
function lastBlocks(last: string, list: List | null, streaming: boolean): Block[] {
  const source = streaming && openCode(last) === null ? closed(last) : last;
  const first = list !== null && isTame(source) ? parse(source).children[0] : undefined;
  if (first?.type !== 'list') return [written(source, null)];
  const end = first.position?.end.offset ?? source.length;
  const rest = source.slice(end);
  return [written(source.slice(0, end), list), ...(rest.trim() === '' ? [] : [written(rest, null)])];
}

function written(source: string, list: List | null): Block {
  return { source, tree: null, labels: labelsIn(source), list };
}

function ListOf({ list: { ordered, start }, children }: { list: List; children: ReactNode }) {
  return ordered ? (
    <ol dir="auto" start={start === 1 ? undefined : start}>
      {children}
    </ol>
  ) : (
    <ul dir="auto">{children}</ul>
  );
}

const Drawn = memo(
  function Drawn({ block, context }: { block: Block; context: Context }) {
    const code = block.list === null && block.tree === null ? openCode(block.source) : null;
    if (code !== null) return <CodeBlock language={code.language} code={code.code.replace(/\n$/, '')} />;
    if (block.tree === null && !isTame(block.source)) return <p className="whitespace-pre-wrap">{block.source}</p>;
    const refers = block.labels.some((label) => isKnown(label, context.known));
    const tree =
      block.tree !== null && !refers
        ? block.tree
        : parse(block.source, { links: context.known.links.keys(), notes: context.known.notes.keys() });
    // The same element as while the fence was open, so that its lines are not laid out anew when it closes.
    const [only, ...others] = tree.children;
    if (only?.type === 'code' && others.length === 0) return <CodeBlock language={only.lang ?? ''} code={only.value} />;
    return draw(tree, context, block.list !== null);
  },
  (before, after) =>
    before.block.source === after.block.source &&
    before.block.list === after.block.list &&
    before.block.labels.every((label) => isSame(label, before.context, after.context)),
);

function isKnown(label: string, { links, notes }: Known): boolean {
  return label.startsWith('^') ? notes.has(label.slice(1)) : links.has(label);
}

function isSame(label: string, before: Context, after: Context): boolean {
  if (!label.startsWith('^')) return before.known.links.get(label)?.url === after.known.links.get(label)?.url;
  const name = label.slice(1);
  return before.notes.indexOf(name) === after.notes.indexOf(name);
}

/** @param item draws the item without its list. */
function draw(tree: Root, context: Context, item = false): ReactNode {
  const hast = toHast(withDefinitions(tree, context.known), {
    handlers: {
      html: (_state: unknown, { value }: { value: string }) =>
        /^<br\s*\/?>$/i.test(value.trim())
          ? { type: 'element' as const, tagName: 'br', properties: {}, children: [] }
          : { type: 'text' as const, value },
      footnoteReference: (_state: unknown, { identifier }: FootnoteReference): Element => {
        const label = identifier.toUpperCase();
        return {
          type: 'element',
          tagName: 'sup',
          properties: { dataNote: `${context.id}${label}`, dataNumber: context.notes.indexOf(label) + 1 },
          children: [],
        };
      },
      footnoteDefinition: (_state: unknown, _node: FootnoteDefinition) => undefined,
      math: (_state: unknown, { value }: { value: string }) => formula(value, true),
      inlineMath: (_state: unknown, { value }: { value: string }) => formula(value, false),
    },
  });
  const children = 'children' in hast ? (hast.children as ElementContent[]) : [];
  const shown = item
    ? children.flatMap((child) =>
        child.type === 'element' && /^[uo]l$/.test(child.tagName) ? child.children : [child],
      )
    : children;
  for (const child of shown) giveDirections(child);
  return toJsxRuntime({ type: 'root', children: shown }, { Fragment, jsx, jsxs, components: COMPONENTS }) as ReactNode;
}

function formula(value: string, display: boolean): Element {
  return {
    type: 'element',
    tagName: display ? 'div' : 'span',
    properties: { dataFormula: value },
    children: [{ type: 'text', value }],
  };
}

const WITH_DIRECTION = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'td', 'th']);

/** Right-to-left text stands as it is read, block by block. */
function giveDirections(node: ElementContent): void {
  if (node.type !== 'element') return;
  if (WITH_DIRECTION.has(node.tagName)) node.properties['dir'] = 'auto';
  for (const child of node.children) giveDirections(child);
}

/** The tree with the definitions that it refers to, and no others. */
function withDefinitions(tree: Root, { links }: Known): Root {
  if (links.size === 0) return tree;
  const wanted = new Set<string>();
  const walk = (node: Nodes): void => {
    if (node.type === 'linkReference' || node.type === 'imageReference') wanted.add(node.identifier.toUpperCase());
    if ('children' in node) for (const child of node.children) walk(child);
  };
  walk(tree);
  return { ...tree, children: [...tree.children, ...[...wanted].flatMap((label) => links.get(label) ?? [])] };
}
