import { toJsxRuntime } from 'hast-util-to-jsx-runtime';
import { toHast } from 'mdast-util-to-hast';
import { memo, useState, type ReactNode } from 'react';
import { Fragment, jsx, jsxs } from 'react/jsx-runtime';
import remend from 'remend';
import { parse, splitBlocks } from './blocks.ts';
import { COMPONENTS } from './Elements.tsx';

/**
 * Draws an answer. HTML in it is shown as text: a model's words become elements only through Markdown.
 * @param streaming whether more may follow: signs that are still open are then taken as closed.
 */
export function Markdown({ text, streaming }: { text: string; streaming: boolean }) {
  const [blocks, setBlocks] = useState(() => splitBlocks(text));
  const now = blocks.text === text ? blocks : splitBlocks(text, blocks);
  if (now !== blocks) setBlocks(now);
  return (
    <>
      {now.done.map((source, i) => (
        <Block key={i} source={source} definitions={now.definitions} />
      ))}
      {now.last !== '' && (
        <Block key={now.done.length} source={streaming ? remend(now.last) : now.last} definitions={now.definitions} />
      )}
    </>
  );
}

const HANDLERS = { html: (_state: unknown, node: { value: string }) => ({ type: 'text' as const, value: node.value }) };

const Block = memo(function Block({ source, definitions }: { source: string; definitions: string }) {
  const refers = definitions !== '' && source.includes('[');
  const tree = toHast(parse(refers ? source + definitions : source), { handlers: HANDLERS });
  return toJsxRuntime(tree, { Fragment, jsx, jsxs, components: COMPONENTS }) as ReactNode;
});
