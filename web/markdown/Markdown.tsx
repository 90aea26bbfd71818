import type { Root } from 'mdast';
import { memo, useEffect, useId, useMemo, useState, type ReactNode } from 'react';
import {
  headOf,
  knownOf,
  labelsIn,
  notesOf,
  openCode,
  splitBlocks,
  type Block,
  type Table,
  type Whole,
} from './blocks.ts';
import { CodeBlock, Streaming } from './code/CodeBlock.tsx';
import { draw, drawHead, WRITING } from './draw.ts';
import { TableFrame } from './Elements.tsx';
import { useEntities } from './entities.ts';
import { Footnotes } from './Footnotes.tsx';
import { groupsOf, isKnown, isSame, isSameBlock, isSameRun, pauseOf, type Context } from './shown.ts';
import { isTame, parse } from './syntax.ts';

/**
 * Draws an answer. HTML in it is shown as text: a model's words become elements only through Markdown.
 * @param streaming whether more may follow: signs that are still open are then taken as closed.
 * @param caret whether a caret stands where the next words come.
 */
export function Markdown(answer: { text: string; streaming: boolean; caret?: boolean }) {
  const isAnew = useEntities(answer.text);
  return <Growing key={isAnew ? 'anew' : ''} {...answer} />;
}

function Growing({ text, streaming, caret = false }: { text: string; streaming: boolean; caret?: boolean }) {
  const id = useId();
  const [{ blocks, at }, setDrawn] = useState(() => ({ blocks: splitBlocks(text), at: 0 }));
  const pause = streaming ? pauseOf(blocks, text) : 0;
  const beat = useBeat(pause);
  const isDue = pause === 0 || beat !== at;
  const now = blocks.text === text || !isDue ? blocks : splitBlocks(text, blocks);
  if (now !== blocks) setDrawn({ blocks: now, at: beat });
  const known = useMemo(() => knownOf(now), [now]);
  const groups = useMemo(() => groupsOf(now, streaming), [now, streaming]);
  const notes = notesOf(now.text, known);
  const context: Context = { known, notes, id };
  const last = caret ? groups.at(-1)?.runs.at(-1) : undefined;
  return (
    <Streaming value={streaming}>
      {groups.map(({ within, runs }, i) => (
        <WholeOf key={i} whole={within} context={context}>
          {runs.map((blocks, n) => (
            <Run key={n} blocks={blocks} context={context} writing={blocks === last} />
          ))}
        </WholeOf>
      ))}
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

/** Counts on, every so many milliseconds; not at all for 0. */
function useBeat(everyMs: number): number {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    if (everyMs === 0) return;
    const timer = setInterval(() => setBeat((count) => count + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return beat;
}

function WholeOf({ whole, context, children }: { whole: Whole | null; context: Context; children: ReactNode }) {
  if (whole === null) return children;
  if (whole.kind === 'table')
    return (
      <TableFrame>
        <Head table={whole} context={context} />
        <tbody>{children}</tbody>
      </TableFrame>
    );
  return whole.ordered ? (
    <ol dir="auto" start={whole.start === 1 ? undefined : whole.start}>
      {children}
    </ol>
  ) : (
    <ul dir="auto">{children}</ul>
  );
}

const Head = memo(
  function Head({ table, context }: { table: Table; context: Context }) {
    return drawHead(parsed(table.head, context), context);
  },
  (before, after) =>
    before.table === after.table &&
    labelsIn(after.table.head).every((label) => isSame(label, before.context, after.context)),
);

const Run = memo(
  function Run({ blocks, context, writing }: { blocks: readonly Block[]; context: Context; writing: boolean }) {
    return blocks.map((block, n) => (
      <Drawn key={n} block={block} context={context} writing={writing && n === blocks.length - 1} />
    ));
  },
  (before, after) =>
    before.writing === after.writing && isSameRun(before.blocks, after.blocks, before.context, after.context),
);

const Drawn = memo(
  function Drawn({ block, context, writing }: { block: Block; context: Context; writing: boolean }) {
    const { source, tree: ready, within } = block;
    const code = within === null && ready === null ? openCode(source) : null;
    const className = writing ? WRITING : '';
    if (code !== null)
      return <CodeBlock language={code.language} code={code.code.replace(/\n$/, '')} className={className} />;
    if (ready === null && !isTame(source)) return <AsWritten text={source} within={within} className={className} />;
    const refers = block.labels.some((label) => isKnown(label, context.known));
    const tree = ready !== null && !refers ? ready : parsed(headOf(within) + source, context);
    // The same element as while the fence was open, so that its lines are not laid out anew when it closes.
    const [only, ...others] = tree.children;
    if (only?.type === 'code' && others.length === 0)
      return <CodeBlock language={only.lang ?? ''} code={only.value} className={className} />;
    return draw(tree, context, within, writing);
  },
  (before, after) =>
    before.writing === after.writing && isSameBlock(before.block, after.block, before.context, after.context),
);

/** Text that is not parsed. In a table it is a row of its own. */
function AsWritten({ text, within, className }: { text: string; within: Whole | null; className: string }) {
  if (within?.kind !== 'table') return <p className={`whitespace-pre-wrap ${className}`}>{text}</p>;
  return (
    <tr>
      <td className="whitespace-pre-wrap">{text}</td>
    </tr>
  );
}

function parsed(source: string, { known: { links, notes } }: Context): Root {
  return parse(source, { links: links.keys(), notes: notes.keys() });
}
