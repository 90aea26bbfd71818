import { createContext, lazy, memo, Suspense, use, useEffect, useMemo, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Boundary } from '../ui/Boundary.tsx';
import { CopyButton } from '../ui/CopyButton.tsx';
import { piecesOf, type Piece } from './code-pieces.ts';

const Diagram = lazy(() => import('./diagrams/Diagram.tsx').then(({ Diagram }) => ({ default: Diagram })));

/** Whether more of the answer may follow. */
export const Streaming = createContext(false);

/** A diagram is drawn once its answer has ended; until then, and when its renderer does not come, it is code. */
export function CodeBlock({ language, code }: { language: string; code: string }) {
  const streaming = use(Streaming);
  const block = <Figure language={language} code={code} />;
  if (streaming || language.toLowerCase() !== 'mermaid') return block;
  return (
    <Boundary fallback={() => block}>
      <Suspense fallback={block}>
        <Diagram code={code} source={<Source language="" code={code} />} />
      </Suspense>
    </Boundary>
  );
}

const Figure = memo(function Figure({ language, code }: { language: string; code: string }) {
  const { t } = useTranslation('chat');
  return (
    <figure className="code" dir="ltr">
      <figcaption>
        <span>{language === '' ? t('code') : language}</span>
        <CopyButton text={code} label={t('copyCode')} />
      </figcaption>
      <Source language={language} code={code} />
    </figure>
  );
});

/** Code is plain at first and is coloured when its language has loaded, which moves nothing. */
function Source({ language, code }: { language: string; code: string }) {
  const pieces = useMemo(() => piecesOf(code), [code]);
  const isQuiet = useQuiet(code);
  return (
    <pre tabIndex={0}>
      <code>
        {pieces.map((piece, i) => (
          <Coloured key={i} text={piece.text} within={piece.within} language={isQuiet ? language : ''} order={i} />
        ))}
      </code>
    </pre>
  );
}

const QUIET_MS = 150;

/** Colouring waits until the block is quiet; otherwise every delta would colour it again. */
function useQuiet(code: string): boolean {
  const [quiet, setQuiet] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(code), QUIET_MS);
    return () => clearTimeout(timer);
  }, [code]);
  return quiet === code;
}

/** Pieces are coloured one after the other, each in its own task. A line that is longer than a piece stays plain. */
const Coloured = memo(function Coloured({
  text,
  within,
  language,
  order,
}: Piece & { language: string; order: number }) {
  const [done, setDone] = useState<{ text: string; coloured: ReactNode } | null>(null);
  useEffect(() => {
    if (language === '' || within) return;
    let current = true;
    const timer = setTimeout(() => {
      void import('./highlight.ts').then(
        ({ highlight }) => {
          if (current) setDone({ text, coloured: highlight(language, text) });
        },
        () => {},
      );
    }, order * BETWEEN_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text, within, language, order]);
  return <span className={within ? 'within' : undefined}>{done?.text === text ? (done.coloured ?? text) : text}</span>;
});

const BETWEEN_MS = 16;
