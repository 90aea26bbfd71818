import type { Definition, ImageReference, LinkReference, List, Nodes, Root, Table, TableRow } from 'mdast';
import { cloneElement, createElement, Fragment, isValidElement, type ReactNode } from 'react';
import type { Whole } from './blocks.ts';
import { CodeBlock } from './code/CodeBlock.tsx';
import { OutsideLink, Picture, TableFrame, TaskBox } from './Elements.tsx';
import { FootnoteLink } from './Footnotes.tsx';
import { Formula } from './Formula.tsx';
import type { Context } from './shown.ts';

/** The class of what is still being written: a caret stands at its end. */
export const WRITING = 'writing';

/**
 * @param within what the tree is a part of: then its items or its rows are drawn, without the list or the table.
 * @param writing whether it is still being written: its last element says so.
 */
export function draw(tree: Root, context: Context, within: Whole | null = null, writing = false): ReactNode {
  const place = placeOf(tree, context);
  const parts = tree.children.flatMap((node) => {
    if (within?.kind === 'table') return node.type === 'table' ? rowsOf(node, place) : [];
    return within?.kind === 'list' && node.type === 'list' ? itemsOf(node, within.apart, place) : [drawn(node, place)];
  });
  return createElement(Fragment, null, ...(writing ? withSign(parts) : parts));
}

/** The class is on the last element alone, so that its coming and going lays no other out anew. */
function withSign(parts: readonly ReactNode[]): ReactNode[] {
  const last = parts.findLastIndex((part) => isValidElement(part));
  return parts.map((part, i) => {
    if (i !== last || !isValidElement<{ className?: string | undefined }>(part)) return part;
    return cloneElement(part, { className: [part.props.className ?? '', WRITING].join(' ').trim() });
  });
}

/** The titles of the table that the tree begins with. */
export function drawHead(tree: Root, context: Context): ReactNode {
  const [table] = tree.children;
  return table?.type === 'table' ? headOf(table, placeOf(tree, context)) : null;
}

interface Place {
  readonly context: Context;
  readonly definitionOf: (identifier: string) => Definition | undefined;
}

function placeOf(tree: Root, context: Context): Place {
  let own: ReadonlyMap<string, Definition> | null = null;
  return {
    context,
    definitionOf: (identifier) => {
      own ??= definitionsIn(tree);
      const label = identifier.toUpperCase();
      return own.get(label) ?? context.known.links.get(label);
    },
  };
}

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
  imageReference: (node, { definitionOf }) => {
    const definition = definitionOf(node.identifier);
    if (definition === undefined) return `![${node.alt ?? ''}${endOf(node)}`;
    return createElement(Picture, { src: definition.url, alt: node.alt });
  },
  inlineCode: ({ value }) => createElement('code', null, value.replaceAll('\n', ' ')),
  inlineMath: ({ value }) => createElement(Formula, { source: value, display: false }),
  link: ({ url, children }, place) => createElement(OutsideLink, { href: url }, ...all(children, place)),
  linkReference: (node, place) => {
    const definition = place.definitionOf(node.identifier);
    const inner = all(node.children, place);
    if (definition === undefined) return createElement(Fragment, null, '[', ...inner, endOf(node));
    return createElement(OutsideLink, { href: definition.url }, ...inner);
  },
  list: (node, place) => {
    const start = node.start ?? 1;
    return createElement(
      node.ordered === true ? 'ol' : 'ul',
      { ...AS_READ, ...(start === 1 ? {} : { start }) },
      ...itemsOf(node, node.spread === true, place),
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

/** As it was written: what a reference ends with that leads nowhere. */
function endOf({ referenceType, label, identifier }: LinkReference | ImageReference): string {
  return referenceType === 'full' ? `][${label ?? identifier}]` : referenceType === 'collapsed' ? '][]' : ']';
}

/** Paragraphs of an item are its own text, unless they, or the items, stand apart. */
function itemsOf(list: List, areApart: boolean, place: Place): ReactNode[] {
  return list.children.map(({ checked, spread, children }) => {
    const isApart = areApart || spread === true;
    const isTask = typeof checked === 'boolean';
    const box = isTask && createElement(TaskBox, { isDone: checked });
    const inner = children.flatMap((node, i) => {
      if (node.type !== 'paragraph') return i === 0 && isTask ? [box, drawn(node, place)] : [drawn(node, place)];
      const text = [...(i === 0 && isTask ? [box, ' '] : []), ...all(node.children, place)];
      return isApart ? [createElement('p', AS_READ, ...text)] : text;
    });
    if (children.length === 0 && isTask) inner.push(box);
    return createElement('li', { ...AS_READ, className: isTask ? 'task' : undefined }, ...inner);
  });
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
