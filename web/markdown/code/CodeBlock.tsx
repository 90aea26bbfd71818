import { createContext, createElement, Fragment, lazy, memo, Suspense, use, useMemo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Boundary } from '../../ui/Boundary.tsx';
import { CopyButton } from '../../ui/CopyButton.tsx';
import type { Coloured } from './cut.ts';
import { piecesOf, type Piece } from './pieces.ts';
import { useColours, type ColouredPiece } from './use-colours.ts';

const Diagram = lazy(() => import('../diagrams/Diagram.tsx').then(({ Diagram }) => ({ default: Diagram })));

/** Whether more of the answer may follow. */
export const Streaming = createContext(false);

/** A diagram is drawn once its answer has ended; until then, and when its renderer does not come, it is code. */
export function CodeBlock({
  language,
  code,
  className = '',
}: {
  language: string;
  code: string;
  className?: string | undefined;
}) {
  const streaming = use(Streaming);
  const block = <Figure language={language} code={code} className={className} />;
  if (streaming || language.toLowerCase() !== 'mermaid') return block;
  return (
    <Boundary fallback={() => block}>
      <Suspense fallback={block}>
        <Diagram code={code} source={<Source language="" code={code} />} />
      </Suspense>
    </Boundary>
  );
}

const Figure = memo(function Figure({
  language,
  code,
  className,
}: {
  language: string;
  code: string;
  className: string;
}) {
  const { t } = useTranslation('chat');
  return (
    <figure className={`code ${className}`} dir="ltr">
      <figcaption>
        <span>{language === '' ? t('code') : language}</span>
        <CopyButton text={code} label={t('copyCode')} />
      </figcaption>
      <Source language={language} code={code} />
    </figure>
  );
});

/** Code is plain at first and coloured when its colours have come, which moves nothing. */
function Source({ language, code }: { language: string; code: string }) {
  const pieces = useMemo(() => piecesOf(code), [code]);
  const colours = useColours(language, code, pieces);
  return (
    <pre tabIndex={0}>
      <code>
        {pieces.map((piece, i) => (
          <Stretch key={i} {...piece} colours={colours[i] ?? null} />
        ))}
      </code>
    </pre>
  );
}

/** What has been added to a coloured piece is plain until the next colours. A line longer than a piece stays plain. */
const Stretch = memo(function Stretch({ text, within, colours }: Piece & { colours: ColouredPiece | null }) {
  if (within) return <span className="within">{text}</span>;
  if (colours === null || !text.startsWith(colours.text)) return <span>{text}</span>;
  return (
    <span>
      {elementsOf(colours.nodes)}
      {text.slice(colours.text.length)}
    </span>
  );
});

/** Elements, never HTML. */
function elementsOf(nodes: readonly Coloured[]): ReactNode {
  return createElement(
    Fragment,
    null,
    ...nodes.map((node) =>
      typeof node === 'string' ? node : createElement('span', { className: node[0] }, elementsOf(node[1])),
    ),
  );
}
