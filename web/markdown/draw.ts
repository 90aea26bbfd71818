import type { Definition, List, ListItem, Nodes, Root, Table, TableRow } from 'mdast';
import { createElement, Fragment, type ReactNode } from 'react';
import { CodeBlock } from './CodeBlock.tsx';
import { OutsideLink, Picture, TableFrame } from './Elements.tsx';
import { FootnoteLink } from './Footnotes.tsx';
import { Formula } from './Formula.tsx';
import type { Context } from './shown.ts';

/** @param part what is drawn of a list or a table: its items, its rows, or its head alone. */
export function draw(tree: Root, context: Context, part: keyof typeof PARTS = 'all'): ReactNode {
  let own: ReadonlyMap<string, Definition> | null = null;
  const place: Place = {
    context,
    definitionOf: (identifier) => {
      own ??= definitionsIn(tree);
      const label = identifier.toUpperCase();
      return own.get(label) ?? context.known.links.get(label);
    },
  };
  return createElement(Fragment, null, ...tree.children.flatMap((node) => PARTS[part](node, place)));
}

interface Place {
  readonly context: Context;
  readonly definitionOf: (identifier: string) => Definition | undefined;
}

const PARTS = {
  all: (node, place) => [drawn(node, place)],
  list: (node, place) => (node.type === 'list' ? itemsOf(node, place) : [drawn(node, place)]),
  table: (node, place) => (node.type === 'table' ? rowsOf(node, place) : []),
  head: (node, place) => (node.type === 'table' ? [headOf(node, place)] : []),
} as const satisfies Record<string, (node: Nodes, place: Place) => readonly ReactNode[]>;

type Draw<Type> = (node: Extract<Nodes, { readonly type: Type }>, place: Place) => ReactNode;

/**
 * How each sign of Markdown is drawn; nothing else becomes an element. Right-to-left text stands as it is read, block
 * by block. What is drawn with others (an item, a row, a cell) or says nothing itself is null.
 */
const DRAWN: { readonly [Type in Nodes['type']]: Draw<Type> | null } = {
  blockquote: ({ children }, place) => createElement('blockquote', AS_READ, ...all(children, place)),
  break: () => createElement('br'),
  code: ({ lang, value }) => createElement(CodeBlock, { language: lang?.split(/\s/)[0] ?? '', code: value }),
  definition: null,
  delete: ({ children }, place) => createElement('del', null, ...all(children, place)),
  emphasis: ({ children }, place) => createElement('em', null, ...all(children, place)),
  footnoteDefinition: null,
  footnoteReference: ({ identifier }, { context: { id, notes } }) => {
    const label = identifier.toUpperCase();
    return createElement(FootnoteLink, { note: `${id}${label}`, number: notes.indexOf(label) + 1 });
  },
  heading: ({ depth, children }, place) => createElement(`h${depth}`, AS_READ, ...all(children, place)),
  html: ({ value }) => (/^<br\s*\/?>$/i.test(value.trim()) ? createElement('br') : value),
  image: ({ url, alt }) => createElement(Picture, { src: url, alt }),
  imageReference: ({ identifier, alt }, { definitionOf }) =>
    createElement(Picture, { src: definitionOf(identifier)?.url, alt }),
  inlineCode: ({ value }) => createElement('code', null, value.replaceAll('\n', ' ')),
  inlineMath: ({ value }) => createElement(Formula, { source: value, display: false }),
  link: ({ url, children }, place) => createElement(OutsideLink, { href: url }, ...all(children, place)),
  linkReference: ({ identifier, children }, place) =>
    createElement(OutsideLink, { href: place.definitionOf(identifier)?.url }, ...all(children, place)),
  list: (node, place) => {
    const start = node.start ?? 1;
    return createElement(
      node.ordered === true ? 'ol' : 'ul',
      { ...AS_READ, ...(start === 1 ? {} : { start }) },
      ...itemsOf(node, place),
    );
  },
  listItem: null,
  math: ({ value }) => createElement(Formula, { source: value, display: true }),
  paragraph: ({ children }, place) => createElement('p', AS_READ, ...all(children, place)),
  root: null,
  strong: ({ children }, place) => createElement('strong', null, ...all(children, place)),
  table: (node, place) => {
    const rows = rowsOf(node, place);
    return createElement(
      TableFrame,
      null,
      headOf(node, place),
      rows.length > 0 && createElement('tbody', null, ...rows),
    );
  },
  tableCell: null,
  tableRow: null,
  text: ({ value }) => value,
  thematicBreak: () => createElement('hr'),
  yaml: null,
};

const AS_READ = { dir: 'auto' } as const;

function drawn(node: Nodes, place: Place): ReactNode {
  return (DRAWN[node.type] as Draw<string> | null)?.(node as never, place);
}

function all(nodes: readonly Nodes[], place: Place): ReactNode[] {
  return nodes.map((node) => drawn(node, place));
}

/** In a list whose items stand apart, their paragraphs do; in any other they are the item's own text. */
function itemsOf(list: List, place: Place): ReactNode[] {
  const apart = list.spread === true || list.children.some(standsApart);
  return list.children.map(({ checked, children }) => {
    const isTask = typeof checked === 'boolean';
    const box = isTask && createElement('input', { type: 'checkbox', checked, readOnly: true, disabled: true });
    const inner = children.flatMap((node, i) => {
      if (node.type !== 'paragraph') return i === 0 && isTask ? [box, drawn(node, place)] : [drawn(node, place)];
      const text = [...(i === 0 && isTask ? [box, ' '] : []), ...all(node.children, place)];
      return apart ? [createElement('p', AS_READ, ...text)] : text;
    });
    if (children.length === 0 && isTask) inner.push(box);
    return createElement('li', { ...AS_READ, className: isTask ? 'task' : undefined }, ...inner);
  });
}

function standsApart({ spread, children }: ListItem): boolean {
  return spread ?? children.length > 1;
}

function headOf({ align, children: [titles] }: Table, place: Place): ReactNode {
  return titles && createElement('thead', null, rowOf(titles, 'th', align, place));
}

function rowsOf({ align, children }: Table, place: Place): ReactNode[] {
  return children.slice(1).map((row) => rowOf(row, 'td', align, place));
}

/** As many cells as the table has columns. */
function rowOf({ children }: TableRow, tag: 'th' | 'td', align: Table['align'], place: Place): ReactNode {
  const cells = (align ?? children).map((_, column) => {
    const side = align?.[column];
    const look = side == null ? AS_READ : { ...AS_READ, style: { textAlign: side } };
    return createElement(tag, look, ...all(children[column]?.children ?? [], place));
  });
  return createElement('tr', null, ...cells);
}

/** Those of a quote or an item count for its whole block, too. */
function definitionsIn(tree: Root): ReadonlyMap<string, Definition> {
  const found = new Map<string, Definition>();
  const walk = (node: Nodes): void => {
    if (node.type === 'definition' && !found.has(node.identifier.toUpperCase()))
      found.set(node.identifier.toUpperCase(), node);
    if ('children' in node) for (const child of node.children) walk(child);
  };
  walk(tree);
  return found;
}
