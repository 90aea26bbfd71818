import type { Element, ElementContent } from 'hast';
import { toJsxRuntime } from 'hast-util-to-jsx-runtime';
import type { FootnoteDefinition, FootnoteReference, Nodes, Root } from 'mdast';
import { toHast } from 'mdast-util-to-hast';
import type { ReactNode } from 'react';
import { Fragment, jsx, jsxs } from 'react/jsx-runtime';
import type { Known } from './blocks.ts';
import { COMPONENTS } from './Elements.tsx';

export interface Context {
  readonly known: Known;
  /** Labels of footnotes in the order in which they are first referred to. */
  readonly notes: readonly string[];
  /** Makes the anchors of footnotes this answer's own. */
  readonly id: string;
}

/** @param part what is drawn of a list or a table: its items, its rows, or its head alone. */
export function draw(tree: Root, context: Context, part: 'all' | 'list' | 'table' | 'head' = 'all'): ReactNode {
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
  const shown = PARTS[part](children);
  for (const child of shown) giveDirections(child);
  return toJsxRuntime(
    { type: 'root', children: [...shown] },
    { Fragment, jsx, jsxs, components: COMPONENTS },
  ) as ReactNode;
}

const PARTS = {
  all: (nodes) => nodes,
  list: (nodes) => nodes.flatMap((node) => (isElement(node, /^[uo]l$/) ? node.children : [node])),
  table: (nodes) => inside(inside(nodes, /^table$/), /^tbody$/).filter((node) => isElement(node, /^tr$/)),
  head: (nodes) => inside(nodes, /^table$/).filter((node) => isElement(node, /^thead$/)),
} as const satisfies Record<string, (nodes: readonly ElementContent[]) => readonly ElementContent[]>;

function inside(nodes: readonly ElementContent[], name: RegExp): ElementContent[] {
  return nodes.flatMap((node) => (isElement(node, name) ? node.children : []));
}

function isElement(node: ElementContent, name: RegExp): node is Element {
  return node.type === 'element' && name.test(node.tagName);
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
